import type { HonoRequest } from 'hono'
import { AppError, invalidRequest } from '../errors.ts'
import { inTime } from '../in-time.ts'
import type { Turns } from '../turns.ts'
import { assertStorable } from './storable.ts'

export interface BodyLimits {
  maxBytes: number
  /** Of large bodies only so much is in work at once, parsed and checked: that takes ten times the memory, and everybody's time. */
  turns: Turns
  /** No body of JSON takes longer to arrive. */
  deadlineMs: number
}

/** Shorter bodies wait for nobody. */
const largeBytes = 64 * 1024

/**
 * The JSON that a request brings, fit to be kept: of the right type, no larger than allowed, and there in time. `done` is to be called
 * when the request has been answered.
 */
export async function readJson(
  request: HonoRequest,
  { maxBytes, deadlineMs, turns }: BodyLimits,
): Promise<{ body: unknown; done: () => void }> {
  requireJson(request.header('content-type'))
  const text = await inTime(readText(request, maxBytes), deadlineMs, tooLate)
  const done = text.length > largeBytes ? await turns.take(text.length) : () => {}
  try {
    const body = parse(text)
    assertStorable(body)
    return { body, done }
  } catch (error) {
    done()
    throw error
  }
}

/** No coding is undone: some bytes of it may be any number of bytes. The answer says what to send instead (RFC 9110, section 15.5.16). */
export function assertNotEncoded(request: HonoRequest): void {
  const coding = request.header('content-encoding') ?? 'identity'
  if (coding.split(',').every((name) => /^\s*(identity\s*)?$/i.test(name))) return
  const detail = `Send the body as it is, without the content coding ${coding.slice(0, 100)}.`
  throw new AppError('unsupported_media_type', detail, { headers: { 'Accept-Encoding': 'identity' } })
}

function requireJson(type = ''): void {
  const found = type ? `, not as ${type.slice(0, 100)}` : ''
  if (!/^application\/([\w.-]+\+)?json\s*(;|$)/i.test(type))
    throw new AppError('unsupported_media_type', `Send the body as application/json${found}.`)
  const [, charset = 'utf-8'] = /;\s*charset\s*=\s*"?([^\s";]*)/i.exec(type) ?? []
  if (!/^utf-?8$/i.test(charset)) throw new AppError('unsupported_media_type', `JSON is sent in UTF-8${found}.`)
}

/** An announced length is judged by what it says; only a body without one is counted as it comes. */
async function readText(request: HonoRequest, maxBytes: number): Promise<string> {
  const announced = request.header('content-length')
  if (announced !== undefined && Number(announced) > maxBytes) throw tooLarge(maxBytes)
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    if (announced !== undefined) return await request.text()
    for await (const chunk of request.raw.body ?? []) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > maxBytes) break
    }
  } catch {
    // Nobody but the client breaks off a body, whatever the failure is called: no dependency of ours is down.
    throw invalidRequest('', 'The body ended before its end.')
  }
  if (bytes > maxBytes) throw tooLarge(maxBytes)
  return new TextDecoder().decode(Buffer.concat(chunks))
}

const tooLarge = (maxBytes: number) => new AppError('payload_too_large', `The body may have at most ${maxBytes} bytes.`)

function tooLate(): never {
  throw new AppError('request_timeout', 'The body took too long to arrive.')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw invalidRequest('', 'The body is not JSON.')
  }
}
