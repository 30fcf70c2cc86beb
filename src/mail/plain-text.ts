/** Tags that begin a line. */
const blocks =
  /^(address|article|blockquote|div|dl|dt|dd|footer|form|h[1-6]|header|hr|main|ol|p|pre|section|table|tr|ul)$/
const unseen = new Set(['head', 'script', 'style', 'template', 'title'])
const named: Record<string, string> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  copy: '©',
  mdash: '—',
}

/** What HTML says to those whose mail program shows none: its words, its lines, and where its links lead. In one pass from end to end. */
export function plainTextOf(html: string): string {
  const lowercase = html.toLowerCase()
  let text = ''
  let link: { target: string; at: number } | undefined
  for (let at = 0; at < html.length; ) {
    const open = html.indexOf('<', at)
    text += decode(html.slice(at, open < 0 ? undefined : open)).replace(/\s+/g, ' ')
    if (open < 0) break
    const tag = tagAt(html, open)
    at = tag.end
    if (unseen.has(tag.name)) at = endOf(lowercase, tag.name, at)
    else if (tag.name === 'br') text += '\n'
    else if (tag.name === 'a' && tag.target) link = { target: tag.target, at: text.length }
    else if (tag.name === '/a') {
      if (link && text.slice(link.at).trim() !== link.target) text += ` (${link.target})`
      link = undefined
    } else if (tag.name === 'li') text += '\n- '
    else if (blocks.test(tag.name.replace('/', ''))) text += '\n\n'
    else if (/^\/?t[dh]$/.test(tag.name)) text += ' '
  }
  return tidy(text)
}

interface Tag {
  name: string
  target: string | undefined
  end: number
}

/** The tag, comment or lonely `<` at this place. */
function tagAt(html: string, open: number): Tag {
  if (html.startsWith('<!--', open)) return { name: '!--', target: undefined, end: after(html, '-->', open) }
  const end = after(html, '>', open)
  const inside = html.slice(open + 1, Math.min(end - 1, open + 4000))
  const name = /^\/?[a-z][a-z0-9]*/i.exec(inside)?.[0].toLowerCase() ?? ''
  const href = name === 'a' ? /\shref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/i.exec(inside) : null
  return { name, target: href ? decode(href[1] ?? href[2] ?? href[3]!).trim() : undefined, end }
}

/** Where the text goes on after what is not seen. */
function endOf(lowercase: string, name: string, from: number): number {
  const close = lowercase.indexOf(`</${name}`, from)
  return close < 0 ? lowercase.length : after(lowercase, '>', close)
}

function after(html: string, mark: string, from: number): number {
  const at = html.indexOf(mark, from)
  return at < 0 ? html.length : at + mark.length
}

const decode = (text: string) =>
  text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,6}));/gi, (whole, decimal, hex, name) => {
    const code = decimal ? Number(decimal) : hex ? Number.parseInt(hex, 16) : undefined
    if (code !== undefined) return isCharacter(code) ? String.fromCodePoint(code) : ''
    return named[String(name).toLowerCase()] ?? whole
  })

const isCharacter = (code: number) => code >= 32 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)

const tidy = (text: string) =>
  text
    .split('\n')
    .map((line) => line.replace(/[ \t]+/g, ' ').trim())
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
