import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { S3Client } from '@aws-sdk/client-s3'
import { serve } from '@hono/node-server'
import { startFauxqs } from 'fauxqs'
import { Hono } from 'hono'
import { createDiskStore } from '../../src/store/disk-store.ts'
import { diskStoreRoutes } from '../../src/store/disk-store-routes.ts'
import { createS3Store } from '../../src/store/s3-store.ts'
import { startS3Gate } from './s3-gate.ts'

/** A disk store whose URLs are served on a loopback port, as the service does it. */
export async function startDiskStore({ silenceMs }: { silenceMs?: number } = {}) {
  const root = await mkdtemp(join(tmpdir(), 'fieldstation-store-'))
  const clock = { now: Date.now() }
  let baseUrl = 'not listening yet'
  const store = createDiskStore({ root, secret: 'a secret', baseUrl: () => baseUrl, now: () => clock.now })
  const app = new Hono().route('/objects', diskStoreRoutes(store, silenceMs))
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
  await once(server, 'listening')
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/objects`
  const stop = async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    if ('closeAllConnections' in server) server.closeAllConnections()
    await closed
    await rm(root, { recursive: true, force: true })
  }
  const fill = async (keys: string[]) => {
    for (const key of keys) await store.put(key, Buffer.from('x'), { contentType: 'text/plain' })
  }
  return { store, root, clock, app, fill, stop }
}

/** The S3 store with AWS's own client, against fauxqs with a gate that is as strict as S3. */
export async function startS3Store() {
  const fauxqs = await startFauxqs({ port: 0, logger: false })
  fauxqs.createBucket('field-files')
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a secret access key' }
  const gate = await startS3Gate(fauxqs.address, credentials.secretAccessKey)
  const client = s3Client(gate.url, credentials)
  const store = createS3Store({ client, bucket: 'field-files', prefix: 'ours/' })
  const stop = async () => {
    client.destroy()
    await gate.stop()
    await fauxqs.stop()
  }
  // Past client and gate, which take their time with a thousand.
  const fill = async (keys: string[]) => {
    for (const key of keys) {
      const { ok } = await fetch(`${fauxqs.address}/field-files/ours/${key}`, { method: 'PUT', body: 'x' })
      if (!ok) throw new Error(`fauxqs did not take ${key}.`)
    }
  }
  return { store, client, fill, stop }
}

export const s3Client = (
  endpoint: string,
  credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a secret access key' },
) => new S3Client({ endpoint, credentials, region: 'eu-central-1', forcePathStyle: true, maxAttempts: 1 })
