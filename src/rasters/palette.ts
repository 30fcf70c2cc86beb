export type Color = readonly [red: number, green: number, blue: number]

export const palette = {
  paper: '#ffffff',
  ink: '#16242f',
  quietInk: '#5b6975',
  frame: '#aab4bd',
  noData: '#e1e8ee',
  unsuitable: [203, 190, 168],
  suitable: [16, 146, 118],
  site: '#e4572e',
  outline: '#2b2d42',
} as const

/** Dark and deep to light and shallow. */
const depthRamp: Color[] = [
  [12, 44, 92],
  [29, 91, 145],
  [66, 146, 187],
  [134, 198, 214],
  [222, 243, 238],
]
const heightRamp: Color[] = [
  [62, 109, 84],
  [134, 160, 96],
  [214, 199, 132],
  [181, 132, 92],
  [232, 226, 218],
]

/** The ramp of colours, low values first, that suits a layer of this name. */
export const rampFor = (layer: string): readonly Color[] => (layer === 'depth' ? depthRamp : heightRamp)

export const cssColor = ([red, green, blue]: Color) => `rgb(${red}, ${green}, ${blue})`

export const mixColors = (a: Color, b: Color, share: number): Color => [
  a[0] + (b[0] - a[0]) * share,
  a[1] + (b[1] - a[1]) * share,
  a[2] + (b[2] - a[2]) * share,
]

/** The colour at a share (0 to 1) of a ramp. */
export function rampColor(ramp: readonly Color[], share: number): Color {
  const place = Math.min(Math.max(share, 0), 1) * (ramp.length - 1)
  const index = Math.min(Math.floor(place), ramp.length - 2)
  return mixColors(ramp[index]!, ramp[index + 1]!, place - index)
}
