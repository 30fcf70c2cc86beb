import type { ByteCursor } from './byte-cursor.ts'
import { followedBy, headBytes, padding } from './other-kind.ts'

/** Past what an image may have behind its end, which is NULs and white space. @throws ImageRefused for anything else */
export async function assertNothingFollows(cursor: ByteCursor, format: string, end: number): Promise<void> {
  await cursor.skipRun(padding, end)
  if (cursor.position() < end) throw await refusedFor(cursor, format, end)
}

/** For the bytes ahead, which are neither NULs nor white space. */
export const refusedFor = async (cursor: ByteCursor, format: string, end: number) =>
  followedBy(format, await cursor.take(Math.min(headBytes, end - cursor.position())))
