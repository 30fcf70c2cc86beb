import { readFileSync } from 'node:fs'

/** A code block of the SDK's README, and the heading that it stands under. */
export interface Example {
  heading: string
  code: string
}

/** Every example of the README, in its order. */
export function readmeExamples(): Example[] {
  const readme = readFileSync(new URL('../../../sdk/README.md', import.meta.url), 'utf8')
  const found: Example[] = []
  let heading = ''
  for (const [, title, code] of readme.matchAll(/^## (.+)|^```ts\n([\s\S]*?)^```/gm)) {
    heading = title ?? heading
    if (code) found.push({ heading, code })
  }
  return found
}
