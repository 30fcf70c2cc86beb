import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Client } from '../client.ts'
import type { LayerUploadOptions } from '../layer-upload.ts'
import type { TransferOptions } from '../transfer.ts'
import type { FileDeclaration, Layer, SignedUpload } from '../types.ts'
import { upload } from '../upload.ts'
import type { StreamSource } from '../upload-body.ts'

/** A file as a body that every upload takes, read as it goes out. The file must not change meanwhile. */
export async function fileSource(path: string): Promise<StreamSource> {
  const { size } = await stat(path)
  return { sizeBytes: size, stream: () => Readable.toWeb(createReadStream(path)) as ReturnType<StreamSource['stream']> }
}

/** A file's SHA-256 in lower-case hexadecimal, read in pieces. */
export async function fileSha256(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash, { signal })
  return hash.digest('hex')
}

/** What `worker.createUploads` needs to know of a file: exact size and SHA-256, read in pieces. */
export async function fileDeclaration(
  path: string,
  name: string,
  contentType = 'application/octet-stream',
): Promise<FileDeclaration> {
  const { size } = await stat(path)
  return { name, sizeBytes: size, sha256: await fileSha256(path), contentType }
}

/** Sends a file from disk to a signed URL, in pieces. Throws as `upload` does. */
export async function uploadFile(to: SignedUpload, path: string, options?: TransferOptions): Promise<void> {
  await upload(to, await fileSource(path), options)
}

/** `regions.uploadLayer` for a file on disk of any size. */
export async function uploadLayerFile(
  client: Pick<Client, 'regions'>,
  region: string,
  layer: string,
  path: string,
  options: LayerUploadOptions = {},
): Promise<Layer> {
  const sha256 = options.sha256 ?? (await fileSha256(path, options.signal))
  return client.regions.uploadLayer(region, layer, await fileSource(path), { ...options, sha256 })
}
