/** What a person and a worker do with the installed package. Run by each version of Node that it supports. */
import { readFile } from 'node:fs/promises'
import { createClient, FieldstationError } from '@fieldstation/sdk'
import { createWorker, downloadJobFiles, RetryableError } from '@fieldstation/sdk/node'
import { moveImages } from './images.js'

const { SERVICE_URL: baseUrl, EMAIL: email, PASSWORD: password, RESULTS: results } = process.env
const [major] = process.versions.node.split('.').map(Number)

const client = createClient({ baseUrl, credentials: { email, password } })
const { id: keyId, key } = await client.users.createApiKey({ name: `Node ${major}`, scopes: ['jobs:work'] })
const worker = createWorker({
  baseUrl,
  apiKey: key,
  handlers: {
    TEST: async ({ input }, { log, uploadFiles }) => {
      log(`Counted by Node ${major}`)
      await uploadFiles([{ name: 'sand.txt', bytes: `${input.id} grains`, contentType: 'text/plain' }])
      return { id: input.id }
    },
  },
})
worker.start()

const { jobId } = await client.jobs.create({ type: 'TEST', inputPayload: { id: major } })
const events = []
for await (const event of client.jobs.events(jobId)) events.push(event.status ?? event.message ?? event.kind)
const { resultPayload } = await client.jobs.wait(jobId, { throwOnFailure: true })
const files = await downloadJobFiles(client, jobId, results)
const texts = await Promise.all(files.map(({ path }) => readFile(path, 'utf8')))

const images = await moveImages(client)

await worker.stop()
await client.users.deleteApiKey(keyId)
await client.auth.logout()

const isOneFamily = new RetryableError('x') instanceof FieldstationError
console.log(JSON.stringify({ major, events, resultPayload, texts, images, isOneFamily }))
