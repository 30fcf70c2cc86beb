import { readFileSync } from 'node:fs'

/** The letters that we write ourselves, and what each is filled with. */
export interface Letters {
  welcome: { docsLink: string }
  'welcome-set-password': { docsLink: string; resetLink: string }
  recovery: { resetLink: string }
  'password-changed': { changedAt: string }
  'job-finished': { type: string; finishedAt: string; jobLink: string }
  'job-failed': { type: string; outcome: string; reason: string; finishedAt: string; jobLink: string }
}

export interface Rendered {
  subject: string
  text: string
  html: string
}

/** Beside this file, or beside the bundle that it is in. */
const read = (file: string) => readFileSync(new URL(`./templates/${file}`, import.meta.url), 'utf8')

/** A letter as its two files have it: the first line of the text is its subject. */
function readLetter(name: keyof Letters) {
  const [, subject, text] = /^Subject: ([^\n]+)\n\n(.+)$/s.exec(read(`${name}.txt`)) ?? []
  if (!subject || !text) throw new Error(`${name}.txt does not start with a subject and an empty line`)
  return { subject, text, html: frame.replace('{{content}}', () => read(`${name}.html`)) }
}

const frame = read('frame.html')
/** Read at the start, where a file that is missing stops nothing but the start. */
const letters = {
  welcome: readLetter('welcome'),
  'welcome-set-password': readLetter('welcome-set-password'),
  recovery: readLetter('recovery'),
  'password-changed': readLetter('password-changed'),
  'job-finished': readLetter('job-finished'),
  'job-failed': readLetter('job-failed'),
} satisfies Record<keyof Letters, Rendered>

export const letterNames = Object.keys(letters) as (keyof Letters)[]

/** Throws where a letter asks for something that is not there, or has no use for something that is. */
export function renderLetter<Name extends keyof Letters>(name: Name, values: Letters[Name]): Rendered {
  const { subject, text, html } = letters[name]
  const given = { ...values, subject: fill(subject, values, inOneLine, []) } as Record<string, string>
  const required = Object.keys(values)
  return {
    subject: given.subject!,
    text: fill(text, given, asItIs, required),
    html: fill(html, given, escapeHtml, required),
  }
}

/** Puts the values into their places. Each of those that are required has at least one. */
export function fill(
  template: string,
  values: Readonly<Record<string, string>>,
  show: (value: string) => string,
  required: readonly string[],
): string {
  const unused = new Set(required)
  const filled = template.replace(/\{\{(.*?)\}\}/g, (_, name: string) => {
    if (!Object.hasOwn(values, name)) throw new Error(`nothing to put in the place of {{${name}}}`)
    unused.delete(name)
    return show(values[name]!)
  })
  if (unused.size > 0) throw new Error(`no place for ${[...unused].join(', ')}`)
  return filled
}

const asItIs = (value: string) => value
/** No value can begin another header. */
const inOneLine = (value: string) => value.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escapeHtml = (value: string) => value.replace(/[&<>"']/g, (character) => entities[character]!)
