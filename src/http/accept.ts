import type { Context } from 'hono'
import { accepts } from 'hono/accepts'

/** The kind that the client likes best of those that there are; the first where it does not say. A choice is told to caches. */
export function preferred(c: Context, mediaTypes: string[]): string | undefined {
  const [first] = mediaTypes
  if (first === undefined || mediaTypes.length === 1) return first
  c.header('vary', 'accept', { append: true })
  return accepts(c, {
    header: 'Accept',
    supports: mediaTypes,
    default: first,
    match: (ranges) => bestOf(ranges, mediaTypes),
  })
}

type Range = Parameters<NonNullable<Parameters<typeof accepts>[1]['match']>>[0][number]

/**
 * Of equal quality is better what is named more closely, then what is named, or else offered, first. Where the client likes none: rather
 * what it does not name than what it refuses.
 */
function bestOf(ranges: Range[], mediaTypes: string[]): string {
  const [best] = mediaTypes
    .map((mediaType) => ({ mediaType, ...rangeFor(mediaType, ranges) }))
    .sort((a, b) => b.quality - a.quality || a.distance - b.distance || a.place - b.place)
  return best!.mediaType
}

/** What the closest of the ranges that take it says of a media type (RFC 9110, section 12.5.1). */
function rangeFor(mediaType: string, ranges: Range[]) {
  const [main] = mediaType.split('/')
  const closest = [[mediaType], [`${main}/*`], ['*/*', '*']].map((names) =>
    ranges.findIndex(({ type }) => names.includes(type.toLowerCase())),
  )
  const distance = closest.findIndex((place) => place >= 0)
  const place = closest[distance] ?? -1
  return { quality: ranges[place]?.q ?? 0, distance, place }
}
