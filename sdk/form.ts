import { hex } from './hex.ts'

/**
 * A form with one file (RFC 7578), as a Blob: that is read no faster than it is sent. Node reads a `FormData` ahead of the connection, and
 * where its request is aborted rejects a promise that nobody hears, which ends the process.
 */
export function formBlob(fields: Record<string, string | undefined>, file: Blob, name: string): Blob {
  const boundary = hex(crypto.getRandomValues(new Uint8Array(16)))
  const part = (about: string) => `--${boundary}\r\nContent-Disposition: form-data; ${about}\r\n\r\n`
  const given = Object.entries(fields).filter(([, value]) => value !== undefined)
  const texts = given.map(([field, value]) => `${part(`name="${field}"`)}${value}\r\n`)
  const type = file.type || 'application/octet-stream'
  const head = part(`name="file"; filename="${quoted(name)}"\r\nContent-Type: ${type}`)
  return new Blob([...texts, head, file, `\r\n--${boundary}--\r\n`], {
    type: `multipart/form-data; boundary=${boundary}`,
  })
}

/** As browsers write a name in a form. */
const quoted = (name: string): string => name.replace(/["\r\n]/g, encodeURIComponent)
