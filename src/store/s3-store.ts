import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { attachment } from './content-disposition.ts'
import {
  assertContentType,
  assertKey,
  assertPrefix,
  type ObjectInfo,
  type ObjectStore,
  StoreUnavailable,
} from './object-store.ts'
import { failS3, isUnsatisfiableRange, unlessMissing } from './s3-trouble.ts'
import { putToS3 } from './s3-upload.ts'

export interface S3StoreOptions {
  /** Its credentials need, on the bucket: GetObject, PutObject, DeleteObject, AbortMultipartUpload and ListBucket. */
  client: S3Client
  bucket: string
  /** Before every key, for a bucket that is shared: `fieldstation/`. */
  prefix?: string
}

/** Objects in an S3 bucket, or in anything that speaks S3. */
export function createS3Store({ client, bucket, prefix: base = '' }: S3StoreOptions): ObjectStore {
  const at = (key: string) => {
    assertKey(key)
    return { Bucket: bucket, Key: base + key }
  }

  /** HEAD has no body to say what is missing, so a missing object is told from a missing bucket by asking again. */
  async function assertBucket(): Promise<void> {
    await client.send(new HeadBucketCommand({ Bucket: bucket })).catch(failS3)
  }

  async function head(key: string) {
    const output = await client
      .send(new HeadObjectCommand({ ...at(key), ChecksumMode: 'ENABLED' }))
      .catch(unlessMissing)
    if (output) return infoOf(output)
    await assertBucket()
    return undefined
  }

  return {
    head,

    async signUpload(key, { sizeBytes, sha256, contentType, expirySeconds }) {
      assertContentType(contentType)
      const bound = {
        'content-type': contentType,
        'if-none-match': '*',
        'x-amz-checksum-sha256': Buffer.from(sha256, 'hex').toString('base64'),
      }
      const command = new PutObjectCommand({
        ...at(key),
        ContentType: contentType,
        ContentLength: sizeBytes,
        IfNoneMatch: '*',
        ChecksumSHA256: bound['x-amz-checksum-sha256'],
      })
      const expiresAt = expiryOf(expirySeconds)
      const url = await getSignedUrl(client, command, {
        expiresIn: expirySeconds,
        // The presigner signs all headers but this one, and moves x-amz-* into the query, where S3 does not look for them.
        signableHeaders: new Set(['content-type']),
        unhoistableHeaders: new Set(Object.keys(bound)),
      }).catch(failS3)
      return { url, method: 'PUT', headers: bound, expiresAt }
    },

    async signDownload(key, { expirySeconds, fileName, contentType }) {
      const command = new GetObjectCommand({
        ...at(key),
        ...(contentType !== undefined && { ResponseContentType: contentType }),
        ...(fileName !== undefined && { ResponseContentDisposition: attachment(fileName) }),
      })
      const expiresAt = expiryOf(expirySeconds)
      return { url: await getSignedUrl(client, command, { expiresIn: expirySeconds }).catch(failS3), expiresAt }
    },

    async put(key, body, { contentType, sizeBytes }) {
      assertContentType(contentType)
      await putToS3(client, { ...at(key), ContentType: contentType }, body, sizeBytes)
      const info = await head(key)
      if (!info) throw new Error(`${key} was deleted while it was being put.`)
      return info
    },

    async get(key, { range } = {}) {
      const Range = range && `bytes=${range.start}-${range.end ?? ''}`
      // The checksum is of the whole, so it can vouch for the whole only.
      const command = new GetObjectCommand({ ...at(key), ...(Range ? { Range } : { ChecksumMode: 'ENABLED' }) })
      const output = await client.send(command).catch((error) => {
        if (isUnsatisfiableRange(error)) throw new RangeError(`The object ends before byte ${range?.start}.`)
        return unlessMissing(error)
      })
      return output?.Body && { info: infoOf(output), body: output.Body.transformToWebStream() }
    },

    async *list(prefix, { after } = {}) {
      assertPrefix(prefix)
      if (after) assertKey(after)
      let ContinuationToken: string | undefined
      do {
        const page = await client
          .send(
            new ListObjectsV2Command({
              Bucket: bucket,
              Prefix: base + prefix,
              ...(after && { StartAfter: base + after }),
              ...(ContinuationToken && { ContinuationToken }),
            }),
          )
          .catch(failS3)
        for (const { Key = '', Size = 0, LastModified = new Date(0) } of page.Contents ?? []) {
          yield { key: Key.slice(base.length), sizeBytes: Size, lastModifiedAt: LastModified }
        }
        ContinuationToken = page.NextContinuationToken
      } while (ContinuationToken)
    },

    async delete(keys) {
      const objects = keys.map((key) => ({ Key: at(key).Key }))
      for (let i = 0; i < objects.length; i += DELETE_LIMIT) {
        const Delete = { Objects: objects.slice(i, i + DELETE_LIMIT), Quiet: true }
        const { Errors = [] } = await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete })).catch(failS3)
        const failed = Errors.filter(({ Code }) => Code !== 'NoSuchKey')
        if (failed.length > 0) throw deletionFailure(failed)
      }
    },

    async check() {
      await client
        .send(new HeadBucketCommand({ Bucket: bucket }), { abortSignal: AbortSignal.timeout(5000) })
        .catch(failS3)
    },
  }
}

const DELETE_LIMIT = 1000

interface Described {
  ContentLength?: number | undefined
  ContentRange?: string | undefined
  ContentType?: string | undefined
  ETag?: string | undefined
  LastModified?: Date | undefined
  ChecksumSHA256?: string | undefined
}

function infoOf({
  ContentLength,
  ContentRange,
  ContentType,
  ETag,
  LastModified,
  ChecksumSHA256,
}: Described): ObjectInfo {
  // `<checksum>-<parts>` is one of the parts' checksums, not of the object.
  const isWhole = ChecksumSHA256 !== undefined && !ChecksumSHA256.includes('-')
  return {
    sizeBytes: Number(ContentRange?.split('/')[1] ?? ContentLength ?? 0),
    contentType: ContentType ?? 'application/octet-stream',
    etag: ETag ?? '',
    ...(isWhole && { sha256: Buffer.from(ChecksumSHA256, 'base64').toString('hex') }),
    lastModifiedAt: LastModified ?? new Date(0),
  }
}

/** Signatures count from the beginning of the second. */
const expiryOf = (expirySeconds: number) => new Date((Math.floor(Date.now() / 1000) + expirySeconds) * 1000)

function deletionFailure(
  failed: { Key?: string | undefined; Code?: string | undefined; Message?: string | undefined }[],
) {
  const [{ Key, Code, Message } = {}] = failed
  const trouble = Code === 'AccessDenied' ? 'denied' : 'unreachable'
  return new StoreUnavailable(trouble, `${failed.length} objects were not deleted; ${Key}: ${Code} ${Message}`)
}
