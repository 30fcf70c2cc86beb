import { deadline } from './deadline.ts'
import { quietly } from './hooks.ts'
import type { FetchLike } from './options.ts'
import { patience } from './patience.ts'
import { pause } from './pause.ts'
import type { RegionCalls } from './regions.ts'
import { sha256Of } from './sha256.ts'
import type { TransferProgress } from './transfer.ts'
import type { Layer } from './types.ts'
import { upload } from './upload.ts'
import { sourceOf, type UploadBody } from './upload-body.ts'

/** What uploading a layer takes. */
export interface LayerUploadOptions {
  /** Ends the upload; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined
  /** How long all of it may take, inspection included, in milliseconds. For ever unless told otherwise. */
  timeoutMs?: number | undefined
  /** The file's SHA-256 in lower-case hexadecimal. Computed where it is not given; a stream needs it. */
  sha256?: string | undefined
  /** `image/tiff` unless told otherwise. */
  contentType?: string | undefined
  /** Called as the file goes over. */
  onProgress?: ((progress: TransferProgress) => void) | undefined
  /** Called with the layer after each change of its status. */
  onChange?: ((layer: Layer) => void) | undefined
}

type Calls = Pick<RegionCalls, 'get' | 'createLayerUpload' | 'completeLayer'>

export async function uploadLayer(
  regions: Calls,
  fetch: FetchLike | undefined,
  { region, layer }: { region: string; layer: string },
  body: UploadBody,
  options: LayerUploadOptions = {},
): Promise<Layer> {
  const { contentType = 'image/tiff', timeoutMs = Infinity, onProgress, onChange } = options
  const limit = deadline(`The upload of layer ${layer}`, timeoutMs, options.signal)
  const { signal } = limit
  try {
    const { sizeBytes, whole } = sourceOf(body)
    const file = { sizeBytes, sha256: options.sha256 ?? (await sha256Of(whole ?? refuseStream())), contentType }
    const { version, upload: to } = await regions.createLayerUpload(region, layer, file, { signal })
    await upload(to, body, { fetch, signal, onProgress })
    const completed = await regions.completeLayer(region, layer, version, { signal })
    quietly(onChange, completed)
    return await inspected(regions, region, completed, onChange, signal)
  } finally {
    limit.dispose()
  }
}

/** Asks for the region rather than following the inspection job, so that a key that may write regions is enough. */
async function inspected(
  regions: Calls,
  region: string,
  completed: Layer,
  onChange: LayerUploadOptions['onChange'],
  signal: AbortSignal,
): Promise<Layer> {
  const outages = patience(signal)
  let latest = completed
  for (let pauseMs = 250; isUnderWay(latest); pauseMs = Math.min(3_000, pauseMs * 1.5)) {
    await pause(pauseMs, signal)
    const found = await regions.get(region, { signal }).catch(outages.endure)
    if (!found) continue
    outages.isOver()
    const layer = found.layers.find(({ name }) => name === completed.name)
    if (!layer || layer.version !== completed.version) throw new Error('The layer was replaced or deleted meanwhile')
    if (layer.status !== latest.status) quietly(onChange, layer)
    latest = layer
  }
  return latest
}

const isUnderWay = ({ status }: Layer) => status === 'UPLOADING' || status === 'INSPECTING'

function refuseStream(): never {
  throw new TypeError('A stream can be read once only: give its sha256.')
}
