import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { type ObjectBody, ObjectMismatch } from './object-store.ts'
import { failS3 } from './s3-trouble.ts'

interface Target {
  Bucket: string
  Key: string
  ContentType: string
}

/** In one request while it fits in a part, else in parts, one in memory at a time. Errors of the body stay what they are. */
export async function putToS3(client: S3Client, target: Target, body: ObjectBody, sizeBytes?: number): Promise<void> {
  const parts = partsOf(body, sizeBytes)
  const first = await nextPart(parts)
  if (first.isLast) {
    await client.send(new PutObjectCommand({ ...target, Body: first.bytes, ChecksumAlgorithm: 'SHA256' })).catch(failS3)
  } else {
    await putInParts(client, target, first, parts)
  }
}

async function putInParts(client: S3Client, target: Target, first: Part, parts: AsyncGenerator<Part>): Promise<void> {
  const { Bucket, Key } = target
  const create = new CreateMultipartUploadCommand({ ...target, ChecksumAlgorithm: 'SHA256' })
  const { UploadId } = await client.send(create).catch(failS3)
  const upload = { Bucket, Key, UploadId }
  const sent: CompletedPart[] = []
  try {
    for (let part = first; ; part = await nextPart(parts)) {
      const PartNumber = sent.length + 1
      const command = new UploadPartCommand({ ...upload, PartNumber, Body: part.bytes, ChecksumAlgorithm: 'SHA256' })
      const { ETag, ChecksumSHA256 } = await client.send(command).catch(failS3)
      sent.push({ PartNumber, ETag, ChecksumSHA256 })
      if (part.isLast) break
    }
    const complete = new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: sent } })
    await client.send(complete).catch(failS3)
  } catch (error) {
    // Parts of an upload that is neither completed nor aborted are stored, and paid for, unseen.
    await client.send(new AbortMultipartUploadCommand(upload)).catch(() => {})
    throw error
  } finally {
    await parts.return(undefined)
  }
}

interface Part {
  bytes: Uint8Array
  isLast: boolean
}

const PART_BYTES = 8 * 1024 * 1024
const MOST_PARTS = 10_000

async function nextPart(parts: AsyncGenerator<Part>): Promise<Part> {
  const { value } = await parts.next()
  return value
}

/** At least one, all full but the last. */
async function* partsOf(body: ObjectBody, sizeBytes?: number): AsyncGenerator<Part> {
  const partBytes = Math.max(PART_BYTES, Math.ceil((sizeBytes ?? 0) / MOST_PARTS))
  let pending: Uint8Array[] = []
  let pendingBytes = 0
  let total = 0
  for await (const chunk of body instanceof Uint8Array ? [body] : (body as AsyncIterable<Uint8Array>)) {
    total += chunk.byteLength
    if (total > (sizeBytes ?? total))
      throw new ObjectMismatch('too_large', `More came than the ${sizeBytes} bytes announced.`)
    pending.push(chunk)
    pendingBytes += chunk.byteLength
    while (pendingBytes > partBytes) {
      const joined = Buffer.concat(pending)
      yield { bytes: joined.subarray(0, partBytes), isLast: false }
      pending = [joined.subarray(partBytes)]
      pendingBytes -= partBytes
    }
  }
  if (total < (sizeBytes ?? total)) throw new ObjectMismatch('too_small', `${total} of ${sizeBytes} bytes came.`)
  yield { bytes: Buffer.concat(pending), isLast: true }
}
