import { AppError } from '../errors.ts'

const maxBytes = 256 * 1024

/** What goes with a job travels with every list of jobs. What is large goes into files, and large areas into polygons. */
export function assertSmall(payload: unknown, pointer: string): void {
  if (payload === undefined || JSON.stringify(payload).length <= maxBytes) return
  throw new AppError('payload_too_large', `${pointer} may have at most ${maxBytes} bytes as JSON.`, {
    errors: [{ pointer, detail: 'Put what is large into a file, or a large area into a polygon.' }],
  })
}
