import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createClient } from '../../sdk/index.ts'
import { admin, startServiceProcess, temporaryFolder } from '../support/processes.ts'
import { pngOf, sizeOfPng } from './large-png.ts'
import { authorization, type Image, streamOf } from './support.ts'

const { url, process: service } = await startServiceProcess({ DATA_DIR: await temporaryFolder() })
const { token } = await createClient({ baseUrl: url }).auth.login(admin)

const proc = `/proc/${service.pid}`

/** The most that the service has held in memory since `forgetPeak`. */
function peakBytes(): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`${proc}/status`, 'utf8')) ?? []
  return 1024 * Number(kilobytes)
}

const forgetPeak = () => writeFileSync(`${proc}/clear_refs`, '5')

async function upload(width: number, height: number): Promise<{ image: Image; sha256: string }> {
  const hash = createHash('sha256')
  async function* form() {
    yield Buffer.from('--x\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\n\r\n')
    for (const chunk of pngOf(width, height)) {
      hash.update(chunk)
      yield chunk
    }
    yield Buffer.from('\r\n--x--\r\n')
  }
  const response = await fetch(`${url}/api/images`, {
    method: 'POST',
    body: streamOf(form()),
    headers: { ...authorization({ token }), 'content-type': 'multipart/form-data; boundary=x' },
    duplex: 'half',
  } as RequestInit)
  return { image: (await response.json()) as Image, sha256: hash.digest('hex') }
}

async function download(id: string): Promise<string> {
  const file = await fetch(`${url}/api/images/${id}`, { headers: authorization({ token }) })
  const hash = createHash('sha256')
  for await (const chunk of file.body!) hash.update(chunk)
  return hash.digest('hex')
}

describe.skipIf(!existsSync(`${proc}/clear_refs`))('an image of 200 MB (where there is /proc)', () => {
  test('goes up and comes down without ever being held', async () => {
    // What a first upload needs, whatever its size.
    await download((await upload(5000, 4000)).image.id)
    forgetPeak()
    const before = peakBytes()
    const [width, height] = [20_000, 10_000]

    const { image, sha256 } = await upload(width, height)
    const downloaded = await download(image.id)

    expect(image).toMatchObject({ width, height, sizeBytes: sizeOfPng(width, height), sha256 })
    expect(downloaded).toBe(sha256)
    expect(image.sizeBytes).toBeGreaterThan(200_000_000)
    expect(peakBytes() - before).toBeLessThan(100_000_000)
  }, 120_000)
})
