import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { loadImage } from '@napi-rs/canvas'
import { fromArrayBuffer } from 'geotiff'
import { describe, expect, test } from 'vitest'
import { inspectImage, sniffBytes, sniffImage } from '../../../src/images/inspection/image-inspection.ts'
import { temporaryFolder, writeRaster } from '../../rasters/support.ts'
import { samples } from './samples.ts'
import { inspect, reasonFor, sourceOf, verdictOf, verdictOn } from './support.ts'

const data = '../shared/data'
const hasData = existsSync(data)

describe('sniffImage', () => {
  test.each(samples)('knows $name by its first bytes', ({ bytes, facts }) => {
    expect(sniffImage(bytes.subarray(0, sniffBytes))).toBe(facts.type)
  })

  test.each([
    ['nothing', ''],
    ['a short start of a PNG', '\x89PNG\r\n\x1a'],
    ['SVG', '<svg xmlns="http://www.w3.org/2000/svg"/>'],
    ['a RIFF of another kind', 'RIFF\x24\0\0\0WAVEfmt '],
    ['a PDF', '%PDF-1.7\n%âãÏÓ\n1 0 obj'],
    ['a name alone', 'photograph.jpeg and more'],
    ['an AVIF', '\0\0\0\x20ftypavif\0\0\0\0avifmif1'],
    ['a GIF of a version that there is not', 'GIF88a\x01\0\x01\0\0\0\0'],
  ])('knows that %s is none', (_, text) => {
    expect(sniffImage(Buffer.from(text, 'latin1'))).toBeUndefined()
  })
})

describe('inspectImage', () => {
  test.each(samples)('accepts $name and reads its size', async ({ bytes, facts }) => {
    expect(await inspect(bytes)).toEqual(facts)
  })

  test.each(samples.filter(({ facts }) => facts.type !== 'image/tiff'))(
    'is tested with $name that others can open',
    async ({ bytes, facts: { width, height } }) => {
      const image = await loadImage(bytes)

      expect([image.width, image.height]).toEqual([width, height])
    },
  )

  test.each(samples.filter(({ facts }) => facts.type === 'image/tiff'))(
    'is tested with $name that others can open',
    async ({ bytes, facts: { width, height } }) => {
      const file = await fromArrayBuffer(new Uint8Array(bytes).buffer)
      const image = await file.getImage()
      await image.readRasters()

      expect([image.getWidth(), image.getHeight()]).toEqual([width, height])
    },
  )

  test('accepts a GeoTIFF of ours', async () => {
    const width = 300
    const values = Array.from({ length: width * 260 }, (_, i) => i % 7)
    const path = await writeRaster(`${await temporaryFolder()}/layer.tif`, { width, height: 260, values })

    expect(await inspect(readFileSync(path))).toEqual({ type: 'image/tiff', width, height: 260 })
  })

  test.skipIf(!hasData)(`accepts the GeoTIFFs of others${hasData ? '' : ` (${data} is not there)`}`, async () => {
    const files = readdirSync(data).filter((name) => name.endsWith('.tif'))
    expect(files).not.toEqual([])

    for (const name of files) {
      const bytes = readFileSync(`${data}/${name}`)
      const image = await (await fromArrayBuffer(new Uint8Array(bytes).buffer)).getImage()
      const facts = { type: 'image/tiff', width: image.getWidth(), height: image.getHeight() }
      expect(await inspect(bytes), name).toEqual(facts)
    }
  })

  test.each(['', 'x', 'GIF89a', 'A report in plain text, long enough to be looked at.'])('refuses %j', async (text) => {
    expect(await reasonFor(Buffer.from(text))).toBe('not_an_image')
  })

  test.each(samples)('refuses $name that ends anywhere too early', async ({ bytes }) => {
    for (let length = 0; length < bytes.length; length++) {
      const reason = await reasonFor(bytes.subarray(0, length))
      expect(reason, `${length} of ${bytes.length} bytes`).toMatch(length < sniffBytes ? 'not_an_image' : 'damaged')
    }
  })

  test.each(samples)('gives facts or a reason for $name with any byte changed', async ({ bytes, facts }) => {
    for (let at = 0; at < bytes.length; at++) {
      for (const change of [0x01, 0x80, 0xff]) {
        const changed = Buffer.from(bytes)
        changed[at]! ^= change
        const verdict = await verdictOn(changed)
        if (facts.type === 'image/png') expect(verdict, `byte ${at}`).toHaveProperty('reason')
        else expect('reason' in verdict || verdict.width > 0).toBe(true)
      }
    }
  })

  test.each(samples)('says the same of $name however it is streamed', async ({ bytes, facts }) => {
    const spoilt = Buffer.concat([bytes, Buffer.from('<script>alert(1)</script>')])
    const cut = bytes.subarray(0, bytes.length - 3)
    const verdicts = await Promise.all([verdictOn(spoilt), verdictOn(cut)])

    for (const chunkBytes of [1, 2, 3, 7, 64, 1021]) {
      expect(await inspect(bytes, chunkBytes)).toEqual(facts)
      expect([await verdictOn(spoilt, chunkBytes), await verdictOn(cut, chunkBytes)]).toEqual(verdicts)
    }
  })

  test.each(samples.filter(({ facts }) => facts.type !== 'image/tiff'))(
    'refuses $name with anything behind it',
    async ({ bytes }) => {
      for (const more of ['x', '\n\0x', '<script>', '\0\0\0\x18ftypmp42', '\x89PNG'])
        expect(await reasonFor(Buffer.concat([bytes, Buffer.from(more, 'latin1')])), more).toBe('polyglot')
    },
  )

  test.each(samples.filter(({ facts }) => facts.type !== 'image/tiff'))(
    'blames the source and not $name when the stream ends early',
    async ({ bytes }) => {
      const source = sourceOf(bytes)
      const ending = sourceOf(bytes.subarray(0, bytes.length - 4))

      await expect(inspectImage({ ...source, stream: ending.stream })).rejects.toThrow('the source ended at')
    },
  )

  test.each(['accepted', 'refused'])('closes the stream of an image that is %s', async (outcome) => {
    const sound = samples[0]!.bytes
    const bytes = outcome === 'accepted' ? sound : Buffer.concat([sound, Buffer.alloc(100, 'x')])
    const { stream, ...source } = sourceOf(bytes, 10)
    const closed: string[] = []
    const closing = async function* (start: number) {
      try {
        yield* stream(start)
      } finally {
        closed.push('closed')
      }
    }

    await verdictOf({ ...source, stream: closing })

    expect(closed).toEqual(['closed'])
  })
})
