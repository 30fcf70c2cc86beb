/**
 * Ids sort by time (UUIDv7): one that sorts before every id that is made at this instant or later. It finds what is old by the primary
 * key, without an index on a time that every row would pay for.
 */
export function firstIdAt(epochMs: number): string {
  const hex = Math.max(0, Math.floor(epochMs)).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7000-8000-000000000000`
}

export const dayMs = 86_400_000
