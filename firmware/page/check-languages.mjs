// Every text of the page exists in every language, with the same placeholders, and none is left over.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const filesBelow = folder => readdirSync(folder, { withFileTypes: true }).flatMap(entry =>
  entry.isDirectory() ? filesBelow(join(folder, entry.name)) : [join(folder, entry.name)])

const root = import.meta.dirname
const source = filesBelow(join(root, 'src')).filter(file => /\.jsx?$/.test(file)).map(file => readFileSync(file, 'utf8')).join('\n')
const texts = Object.fromEntries(readdirSync(join(root, 'src/lang')).map(file => [file.replace('.json', ''), JSON.parse(readFileSync(join(root, 'src/lang', file), 'utf8'))]))
const english = texts.en
const wrong = []

const whole = new Set([...source.matchAll(/['"`]([a-z][\w]*(?:\.\w+)*)['"`]/gi)].map(found => found[1]))
const families = [...source.matchAll(/t\(`((?:\w+\.)+)\$\{/g)].map(found => found[1])
for (const key of Object.keys(english)) {
  if (!whole.has(key) && !families.some(family => key.startsWith(family))) wrong.push(`en: ${key} is used nowhere`)
}
for (const [, key] of source.matchAll(/\bt\('([^']+)'/g)) {
  if (!(key in english)) wrong.push(`en: ${key} is missing`)
}

const placeholders = text => [...new Set((typeof text === 'object' ? text.other : text).match(/\{\w+\}/g) ?? [])].sort().join()
for (const [code, language] of Object.entries(texts)) {
  for (const [key, text] of Object.entries(english)) {
    if (!(key in language)) wrong.push(`${code}: ${key} is missing`)
    else if (placeholders(text) !== placeholders(language[key])) wrong.push(`${code}: ${key} has other placeholders`)
    else if (typeof text === 'object') {
      const needed = new Intl.PluralRules(code).resolvedOptions().pluralCategories
      if (typeof language[key] !== 'object') wrong.push(`${code}: ${key} has no plural forms`)
      else for (const form of needed) if (!(form in language[key])) wrong.push(`${code}: ${key} has no form "${form}"`)
    }
  }
  for (const key of Object.keys(language)) if (!(key in english)) wrong.push(`${code}: ${key} is not among the English ones`)
}
if (Object.keys(texts).length !== 8) wrong.push(`${Object.keys(texts).length} languages instead of 8`)
for (const line of wrong) console.error(line)
process.exit(wrong.length ? 1 : 0)
