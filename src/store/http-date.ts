/** The format that all write today, and the two that were written before: RFC 850's and asctime's. */
const formats = [
  /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/,
]

/** The instant of an HTTP-date (RFC 9110, section 5.6.7). `undefined` for whatever is none. */
export function parseHttpDate(text: string | undefined): Date | undefined {
  if (text === undefined || !formats.some((format) => format.test(text))) return undefined
  // asctime's names no zone, and would be taken for ours.
  const date = new Date(text.endsWith('GMT') ? text : `${text} GMT`)
  return Number.isNaN(date.getTime()) ? undefined : date
}
