import type { RunningService } from './service.ts'

/** What a person who has just started the service wants to know. */
export function welcome({ url, places, newAdmin }: RunningService, workers: number): string {
  const lines = [
    `Fieldstation is ready at ${url}`,
    '',
    `  Documentation  ${url}/docs`,
    `  Contract       ${url}/openapi.json`,
    `  Database       ${places.database}`,
    `  Files          ${places.files}`,
    `  Mail           ${places.mail}`,
    `  Workers        ${workers} beside the service`,
  ]
  const admin = newAdmin && [
    '',
    '  There was no admin, so one was made. This is the only time that its password is shown:',
    `    ${newAdmin.email}`,
    `    ${newAdmin.password}`,
  ]
  return `\n${[...lines, ...(admin ?? [])].join('\n')}\n\n`
}
