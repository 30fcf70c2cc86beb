import { checkAgainstContract } from '../../support/contract-check.ts'

/** An answer with what differs from one world to the next, and from one moment to the next, struck out. */
export interface Exchange {
  status: number
  headers: Record<string, string>
  body: unknown
}

/** Of the connection, not of the answer. */
const hopByHop = ['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding']

export async function exchangeOf(request: Request, response: Response): Promise<Exchange> {
  await checkAgainstContract(request, response)
  const type = response.headers.get('content-type') ?? ''
  // Of a file its length is told, also where the file does not come.
  const told = [...response.headers].filter(([name]) => !hopByHop.includes(name) || isLengthOfFile(name, type))
  return {
    status: response.status,
    headers: Object.fromEntries(told.map(([name, value]) => [name, settled(value)])),
    body: await bodyOf(request, response, type),
  }
}

const isLengthOfFile = (name: string, type: string) => name === 'content-length' && type.startsWith('image/')

async function bodyOf(request: Request, response: Response, type: string): Promise<unknown> {
  if (type.startsWith('image/')) return Buffer.from(await response.arrayBuffer()).toString('base64')
  const text = settled(await response.text())
  return type.includes('json') && request.method !== 'HEAD' ? JSON.parse(text) : text
}

const passing: [RegExp, string][] = [
  [/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, '<jwt>'],
  [/\bfsa?_[\w-]{20,}/g, '<secret>'],
  // Each server sees another client.
  [/"(127\.0\.0\.1|192\.0\.2\.1)"/g, '"<address>"'],
  [/"fs_[\w-]{4}"/g, '"<prefix>"'],
  [/("refreshToken":\s*")[^"]+/g, '$1<secret>'],
  [/("nextCursor":\s*")[^"]+/g, '$1<cursor>'],
  [/([?&]cursor=)[\w%-]+/g, '$1<cursor>'],
  [/\b\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT/g, '<instant>'],
  [/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<id>'],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<instant>'],
  [/X-Amz-(Date|Credential|Signature)=[^&"]+/g, 'X-Amz-$1=<signed>'],
  [/\breef-(node|lambda)\b/g, '<bucket>'],
]

const settled = (text: string) => passing.reduce((left, [pattern, sign]) => left.replaceAll(pattern, sign), text)
