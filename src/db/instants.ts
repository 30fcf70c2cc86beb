const [earliest, latest] = [Date.parse('0001-01-01T00:00:00.000Z'), Date.parse('9999-12-31T23:59:59.999Z')]

/** An instant as PostgreSQL can hold it. RFC 3339 can write some, by their offsets, that it cannot: nothing has happened there. */
export function storableInstant(instant: string): Date
export function storableInstant(instant: string | undefined): Date | undefined
export function storableInstant(instant: string | undefined): Date | undefined {
  return instant === undefined ? undefined : new Date(Math.min(Math.max(Date.parse(instant), earliest), latest))
}
