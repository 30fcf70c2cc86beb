import { hex } from './hex.ts'

/** In lower-case hexadecimal. Reads all of it. */
export const sha256Of = async (file: Blob): Promise<string> =>
  hex(new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer())))
