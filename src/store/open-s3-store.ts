import { S3Client } from '@aws-sdk/client-s3'
import type { ObjectStore } from './object-store.ts'
import { createS3Store } from './s3-store.ts'

export interface S3Place {
  AWS_REGION: string
  /** Something that speaks S3 and is not AWS. */
  S3_ENDPOINT?: string | undefined
  /** Before every key. */
  S3_PREFIX: string
}

/** The bucket, with the credentials that AWS's client finds by itself. */
export function openS3Store({ S3_ENDPOINT, S3_PREFIX, AWS_REGION }: S3Place, bucket: string): ObjectStore {
  const endpoint = S3_ENDPOINT ? { endpoint: S3_ENDPOINT, forcePathStyle: true } : {}
  // Without limits of its own the client would wait for a store that has gone quiet.
  const requestHandler = { connectionTimeout: 3000, requestTimeout: 30_000, throwOnRequestTimeout: true }
  const client = new S3Client({ region: AWS_REGION, requestHandler, ...endpoint })
  return createS3Store({ client, bucket, prefix: S3_PREFIX })
}
