import type { components } from '../../generated/types.ts'
import { invalidRequest } from '../errors.ts'
import { unrolledLongitudes } from './antimeridian.ts'
import type { UnrolledVertex } from './antimeridian-crossings.ts'
import { cutAtAntimeridian } from './antimeridian-cut.ts'
import { type Area, polygonsOf, type Ring } from './area.ts'
import { requireCrs84 } from './crs.ts'
import { checkRing, type Outline, outlineOf } from './outline.ts'
import { checkValidity } from './validity.ts'
import { cost, maxWork, startWork, type Work } from './work.ts'

const maxVertices = 200_000
/** Of an area, and rings of each: what an answer may have (MultiPolygonGeometry.yml). */
const maxPolygons = 10_000
const maxRings = 10_000

const tooIntricate =
  'This area is too intricate to check: too many edges lie across each other. Simplify it, or cut it up.'

/**
 * The area itself, out of whatever it came in, as RFC 7946 asks: rings closed, not crossing themselves or others (`checkValidity`) and
 * wound outward, positions in range, foreign members left out. What crosses the antimeridian is cut there (section 3.1.9), into a
 * MultiPolygon; all other rings keep their positions as they are, with altitudes and repeated ones. Lets others have their turn while
 * it checks, in bounded time whatever it is given. Throws `invalid_request` with a pointer to the fault. `shared`: for one of several
 * areas, whose work is bounded together.
 */
export async function toArea(input: Schemas['AreaOrFeature'], pointer: string, shared?: Work): Promise<Area> {
  const { area } = await checkedArea(input, pointer, shared)
  return area
}

/** `area`: as `toArea` has it. `drawn`: its polygons uncut, whose longitudes go on past the antimeridian, for what the cut would change. */
export async function checkedArea(
  input: Schemas['AreaOrFeature'],
  pointer: string,
  shared?: Work,
): Promise<{ area: Area; drawn: Ring[][] }> {
  requireCrs84(input, pointer)
  if (input.type === 'Feature') return checkedArea(input.geometry, `${pointer}/geometry`, shared)
  const at = `${pointer}/coordinates`
  const polygons = polygonsOf(input)
  const vertices = polygons.flat().reduce((sum, ring) => sum + ring.length, 0)
  if (vertices > maxVertices)
    throw invalidRequest(at, `An area has at most ${maxVertices} positions; this has ${vertices}.`)
  const refusal = () => invalidRequest(at, tooIntricate)
  const work = shared ?? startWork({ units: maxWork, refusal })

  const outlines: Outline[] = []
  const parts: Ring[][] = []
  const drawn: Ring[][] = []
  for (const [part, rings] of polygons.entries()) {
    const place = input.type === 'Polygon' ? at : `${at}/${part}`
    for (const [index, ring] of rings.entries()) {
      checkRing(ring, `${place}/${index}`)
      work.spend(cost.position * ring.length)
      if (work.isLong()) await work.breathe()
    }
    const longitudes = unrolledLongitudes(rings, place)
    const uncut = await outlinesOf(rings, longitudes, { polygon: parts.length, part, pointer: place }, work)
    if (!longitudes) {
      for (const outline of uncut) outlines.push(outline)
      parts.push(
        rings.map((ring, index) => (uncut[index]!.isCounterclockwise === (index === 0) ? ring : ring.toReversed())),
      )
      drawn.push(rings)
    } else {
      await checkValidity(uncut, work)
      const cuts = await cutAtAntimeridian(unrolled(rings, longitudes, uncut), work)
      requireFew(cuts, parts.length + polygons.length - part - 1, at)
      for (const cut of cuts) {
        for (const outline of cutOutlinesOf(cut, { polygon: parts.length, part, pointer: place }))
          outlines.push(outline)
        parts.push(cut)
        work.spend(cost.position * cut.reduce((sum, ring) => sum + ring.length, 0))
        if (work.isLong()) await work.breathe()
      }
      drawn.push(rings.map((ring, index) => ring.map(([, y], i) => [longitudes[index]![i]!, y!])))
    }
  }
  await checkValidity(outlines, work)
  const isPolygon = input.type === 'Polygon' && parts.length === 1
  const area: Area = isPolygon
    ? { type: 'Polygon', coordinates: parts[0]! }
    : { type: 'MultiPolygon', coordinates: parts }
  return { area, drawn }
}

type Schemas = components['schemas']
type Place = Pick<Outline, 'polygon' | 'part' | 'pointer'>

/** Of what a cut has made, besides the `others` of the area: a comb comes apart into its teeth. */
function requireFew(cuts: Ring[][], others: number, pointer: string): void {
  const polygons = others + cuts.length
  if (polygons > maxPolygons)
    throw invalidRequest(pointer, `${cutApart} ${polygons} polygons, of which an area has at most ${maxPolygons}.`)
  const rings = cuts.reduce((most, { length }) => Math.max(most, length), 0)
  if (rings > maxRings)
    throw invalidRequest(pointer, `${cutApart} a polygon of ${rings} rings, which has at most ${maxRings}.`)
}

const cutApart = 'Cut at the antimeridian, as it must be, this area has'

async function outlinesOf(
  rings: Ring[],
  longitudes: Float64Array[] | undefined,
  place: Place,
  work: Work,
): Promise<Outline[]> {
  const outlines: Outline[] = []
  for (const [index, ring] of rings.entries()) {
    const ringPlace = { ...place, isHole: index > 0, pointer: `${place.pointer}/${index}` }
    outlines.push(outlineOf(ring, longitudes?.[index], ringPlace))
    work.spend(cost.position * ring.length)
    if (work.isLong()) await work.breathe()
  }
  return outlines
}

/** The places of a cut ring are not those of the request: they all are at the polygon. */
const cutOutlinesOf = (rings: Ring[], place: Place): Outline[] =>
  rings.map((ring, index) => ({ ...outlineOf(ring, undefined, { ...place, isHole: index > 0 }), positions: undefined }))

/** The rings as their vertices, with the polygon's inside on the left. */
const unrolled = (rings: Ring[], longitudes: Float64Array[], outlines: Outline[]): UnrolledVertex[][] =>
  rings.map((ring, index) => {
    const vertices = ring.slice(1).map((position, i) => ({ x: longitudes[index]![i + 1]!, position }))
    return outlines[index]!.isCounterclockwise === (index === 0) ? vertices : vertices.reverse()
  })
