import { GifEncoder } from '@napi-rs/canvas'
import type { ImageFacts } from '../../../src/images/inspection/image-inspection.ts'
import { animatedGif, gif } from './gif-bytes.ts'
import { baselineJpeg, progressiveJpeg, restartJpeg } from './jpeg-bytes.ts'
import { animatedPng, png } from './png-bytes.ts'
import { page, tiff, tiledPage } from './tiff-bytes.ts'
import { animatedWebp, drawn, losslessWebp, lossyWebp, transparentWebp } from './webp-bytes.ts'

export interface Sample {
  name: string
  bytes: Buffer
  facts: ImageFacts
}

const sample = (name: string, type: ImageFacts['type'], bytes: Buffer, width: number, height: number): Sample => ({
  name,
  bytes,
  facts: { type, width, height },
})

function encodedGif(): Buffer {
  using encoder = new GifEncoder(12, 9)
  const pixels = drawn().getContext('2d').getImageData(0, 0, 12, 9).data
  encoder.addFrame(new Uint8Array(pixels), 12, 9, { delay: 100 })
  encoder.addFrame(new Uint8Array(pixels), 12, 9, { delay: 100 })
  return encoder.finish()
}

/** Sound images of each kind: by an encoder where there is one, by hand where what matters is rare. */
export const samples: Sample[] = [
  sample('an encoded PNG', 'image/png', drawn().encodeSync('png'), 12, 9),
  sample('a PNG of many IDAT chunks', 'image/png', png({ width: 40, height: 30, idatBytes: 5 }), 40, 30),
  sample('an interlaced PNG', 'image/png', png({ width: 13, height: 11, interlace: 1 }), 13, 11),
  sample('an interlaced PNG of one pixel', 'image/png', png({ width: 1, height: 1, interlace: 1 }), 1, 1),
  sample('a PNG of 16 bits', 'image/png', png({ bitDepth: 16, colourType: 6 }), 5, 4),
  sample('a PNG with a palette', 'image/png', png({ width: 9, bitDepth: 2, colourType: 3 }), 9, 4),
  sample(
    'an interlaced PNG of one bit',
    'image/png',
    png({ width: 21, bitDepth: 1, colourType: 0, interlace: 1 }),
    21,
    4,
  ),
  sample('an animated PNG', 'image/png', animatedPng(), 5, 4),
  sample('an encoded JPEG', 'image/jpeg', drawn().encodeSync('jpeg', 80), 12, 9),
  sample('a baseline JPEG', 'image/jpeg', baselineJpeg(), 16, 16),
  sample('a JPEG with restarts', 'image/jpeg', restartJpeg(), 16, 16),
  sample('a progressive JPEG', 'image/jpeg', progressiveJpeg(), 16, 16),
  sample('an encoded GIF', 'image/gif', encodedGif(), 12, 9),
  sample('a GIF', 'image/gif', gif(), 4, 3),
  sample('an animated GIF', 'image/gif', animatedGif(), 4, 3),
  sample('a lossy WebP', 'image/webp', lossyWebp(), 12, 9),
  sample('a lossless WebP', 'image/webp', losslessWebp(), 12, 9),
  sample('a transparent WebP', 'image/webp', transparentWebp(), 12, 9),
  sample('an animated WebP', 'image/webp', animatedWebp(), 20, 10),
  sample('a little-endian TIFF', 'image/tiff', tiff([page()]), 6, 4),
  sample('a big-endian TIFF', 'image/tiff', tiff([page()], { littleEndian: false }), 6, 4),
  sample('a BigTIFF', 'image/tiff', tiff([page()], { isBig: true }), 6, 4),
  sample('a big-endian BigTIFF', 'image/tiff', tiff([page()], { isBig: true, littleEndian: false }), 6, 4),
  sample('a tiled TIFF', 'image/tiff', tiff([tiledPage()]), 20, 10),
  sample('a TIFF of three pages', 'image/tiff', tiff([page(), page(3, 3), tiledPage()]), 6, 4),
  sample('a TIFF with a page below', 'image/tiff', tiff([{ ...page(), below: { 330: [page(3, 2)] } }]), 6, 4),
]
