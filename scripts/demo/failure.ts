import { ApiError, FieldstationError } from '../../sdk/index.ts'

/** For people: what went wrong, with what helps to find out why. */
export function describeFailure(error: unknown): string {
  if (error instanceof SuppressedError) {
    return `${describeFailure(error.suppressed)}\nTidying up failed too. ${describeFailure(error.error)}`
  }
  if (error instanceof ApiError) {
    const faults = error.errors.map(({ pointer, detail }) => `\n  ${pointer}: ${detail}`).join('')
    return `${error.message}${faults}\n  (${error.code}, request ${error.requestId ?? 'unknown'})`
  }
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : `\nThe cause: ${describeFailure(error.cause)}`
  return `${isExpected(error) ? error.message : error.stack}${cause}`
}

/** Says enough by its message: ours, and those of the operating system. */
const isExpected = (error: Error) => error instanceof FieldstationError || 'code' in error || error.name === 'Error'
