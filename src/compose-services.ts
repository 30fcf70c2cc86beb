import { composeJobs, type JobParts } from './compose-jobs.ts'
import { composePeople, type PeopleParts } from './compose-people.ts'
import { composePlaces, type PlaceParts } from './compose-places.ts'
import type { Config } from './config.ts'

export interface ServiceParts
  extends Omit<JobParts, 'sql' | 'signals' | 'places'>,
    Omit<PeopleParts, 'sql' | 'findAssignment' | 'withdrawWishes'>,
    Omit<PlaceParts, 'sql' | 'store' | 'log'> {}

/** What of the configuration every process goes by. */
export const settingsOf = (config: Config) => ({
  isRegistrationOpen: config.ALLOW_REGISTRATION,
  maxActiveJobs: config.MAX_ACTIVE_JOBS,
  jobRetentionDays: config.JOB_RETENTION_DAYS,
  corsOrigins: config.CORS_ORIGINS,
  bodyLimitBytes: config.BODY_LIMIT_BYTES,
  imageLimitBytes: config.IMAGE_LIMIT_BYTES,
  trustedProxies: config.TRUSTED_PROXIES,
  trustedIssuers: config.AUTH_TRUSTED_ISSUERS,
})

/** The rooms of the service, and what is to be done in them from time to time. Answers no requests. */
export async function composeServices(parts: ServiceParts & Pick<JobParts, 'sql' | 'signals'>) {
  const places = composePlaces(parts)
  const jobs = composeJobs({ ...parts, places })
  const people = await composePeople({
    ...parts,
    findAssignment: jobs.findAssignment,
    withdrawWishes: jobs.services.jobs.withdrawForsaken,
  })
  return {
    places,
    jobs,
    people,
    settlement: jobs.settlement,
    chores: { ...people.chores, ...places.chores, ...jobs.chores },
  }
}
