/** Heights on a picture's pixels, row-major, NaN where there are none. */
export interface HeightField {
  width: number
  height: number
  heights: Float32Array
}

/** The range that colours are spread over: the 2nd to the 98th percentile, so that one odd cell does not wash it out. */
export function heightRange(heights: Float32Array): [low: number, high: number] {
  const sorted = heights.filter((height) => !Number.isNaN(height)).sort()
  if (sorted.length === 0) return [0, 1]
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!
  const [low, high] = [at(0.02), at(0.98)]
  return high > low ? [low, high] : [low - 0.5, high + 0.5]
}

/**
 * How light each pixel is under a sun in the north-west, 45 degrees up: 0 to 1, flat ground about 0.7 (Horn 1981). Relief
 * is exaggerated until its usual slopes show, since reef flats and volcanoes are looked at alike.
 */
export function shadeRelief(field: HeightField): Float32Array {
  const { width, height, heights } = field
  const gradients = new Float32Array(2 * heights.length)
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const at = row * width + column
      gradients[2 * at] = difference(heights, at, column > 0 ? at - 1 : at, column < width - 1 ? at + 1 : at)
      gradients[2 * at + 1] = difference(heights, at, row > 0 ? at - width : at, row < height - 1 ? at + width : at)
    }
  }
  const strength = 0.45 / (usualSteepness(gradients) || 1)
  return Float32Array.from(heights, (_, at) =>
    illuminate(gradients[2 * at]! * strength, gradients[2 * at + 1]! * strength),
  )
}

/** Rise from one neighbour to the other; one that has no data lies as high as the pixel itself. */
function difference(heights: Float32Array, at: number, before: number, after: number): number {
  const here = heights[at]!
  if (Number.isNaN(here)) return 0
  const [a, b] = [heights[before]!, heights[after]!]
  return ((Number.isNaN(b) ? here : b) - (Number.isNaN(a) ? here : a)) / 2
}

function usualSteepness(gradients: Float32Array): number {
  let [sum, count] = [0, 0]
  for (let at = 0; at < gradients.length; at += 2) {
    const steepness = Math.hypot(gradients[at]!, gradients[at + 1]!)
    if (steepness === 0) continue
    sum += steepness
    count++
  }
  return count === 0 ? 0 : sum / count
}

function illuminate(eastward: number, southward: number): number {
  // The surface normal is (-eastward, -southward, 1); the light comes from (-1, -1, sqrt 2) / 2.
  const light = (eastward + southward + Math.SQRT2) / (2 * Math.hypot(eastward, southward, 1))
  return Math.min(Math.max(light, 0.15), 1)
}
