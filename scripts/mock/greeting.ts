const job = '/api/jobs/019a8f00-0003-7000-8000-000000000003'

/** Where the mock is, and how to ask it for what. */
export const describeMock = (url: string, operations: number) => `
The mock is at ${url}: ${operations} operations, answered from the examples of the contract. Any credentials will do.
It keeps nothing, and there are no files behind its links. What is wrong with a request, Prism says in the
header sl-violations.

  curl -s -H 'X-API-Key: any' ${url}${job}

The same job in another of its scenarios, a refusal, and an answer made up from the schema:

  curl -s -H 'X-API-Key: any' -H 'Prefer: example=in-progress' ${url}${job}
  curl -s -H 'X-API-Key: any' -H 'Prefer: code=404' ${url}${job}
  curl -s -H 'X-API-Key: any' -H 'Prefer: dynamic=true' ${url}${job}

`

/** Where the proxy is, and what it does with what. */
export const describeProxy = (url: string, upstream: URL) => `
The proxy is at ${url}, in front of ${upstream.href}
It refuses requests and answers that break the contract, with problems of its own: their type starts with
https://stoplight.io/prism/errors. It reads JSON alone: event streams, pages and files pass untouched.

  curl -s ${url}/readyz

`
