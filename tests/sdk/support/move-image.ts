import { openAsBlob } from 'node:fs'
import { createClient } from '../../../sdk/index.ts'

/** Sends a large image in both ways and fetches it again, in a process of its own, and tells by how much that made it grow at its peak. */
const { SERVICE_URL, FILE } = process.env as Record<'SERVICE_URL' | 'FILE', string>
const client = createClient({ baseUrl: SERVICE_URL, apiKey: 'fs_key' })

async function move(file: Blob): Promise<number> {
  await client.images.upload(file, { name: 'reef.png' }, { sha256: '', contentType: 'image/png' })
  const { id } = await client.images.create(file, { name: 'reef.png' })
  const { body } = await client.images.download(id)
  let bytes = 0
  for await (const chunk of body!) bytes += chunk.byteLength
  return bytes
}

const peakBytes = () => process.resourceUsage().maxRSS * 1024

await move(new Blob(['What any transfer needs, whatever its size.']))
const before = peakBytes()
const bytes = await move(await openAsBlob(FILE))
process.send!({ bytes, grownBytes: peakBytes() - before })
process.disconnect()
