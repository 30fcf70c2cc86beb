import { filesOf } from '../../scripts/generate/code-samples-request.ts'
import type { Media } from '../../scripts/generate/document.ts'
import { png, pngChunk } from '../images/inspection/png-bytes.ts'
import { resolve } from './contract.ts'

/** A sound image, under whatever name. */
export const picture: Uint8Array<ArrayBuffer> = new Uint8Array(png({ width: 8 }))

/** One that has a lot to say. */
export const largePicture: Uint8Array<ArrayBuffer> = new Uint8Array(
  png({ width: 8, before: Array.from({ length: 50 }, () => pngChunk('tEXt', `Comment\0${'x'.repeat(4000)}`)) }),
)

/** What the example of a form says, as `fetch` takes it. Its files are images of the names that it gives. */
export function formOf({ schema, example }: Media): FormData {
  const files = filesOf({ type: 'multipart/form-data', schema: resolve(schema), example })
  const form = new FormData()
  for (const [name, value] of Object.entries(example as Record<string, string>))
    form.set(name, files.includes(name) ? new File([picture], value) : value)
  return form
}
