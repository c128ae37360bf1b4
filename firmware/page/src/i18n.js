import { createContext } from 'preact'
import { useContext } from 'preact/hooks'

export const languages = {
  en: 'English', de: 'Deutsch', es: 'Español', 'pt-BR': 'Português (Brasil)', ru: 'Русский', tr: 'Türkçe',
  id: 'Bahasa Indonesia', ar: 'العربية'
}

// One chunk each, loaded when it is chosen.
const texts = {
  en: () => import('./lang/en.json'),
  de: () => import('./lang/de.json'),
  es: () => import('./lang/es.json'),
  'pt-BR': () => import('./lang/pt-BR.json'),
  ru: () => import('./lang/ru.json'),
  tr: () => import('./lang/tr.json'),
  id: () => import('./lang/id.json'),
  ar: () => import('./lang/ar.json')
}

export function remembered(name) {
  try { return localStorage.getItem(`posthorn.${name}`) } catch { return null }
}
export function remember(name, value) {
  try { localStorage.setItem(`posthorn.${name}`, value) } catch { /* private mode: for this visit only */ }
}

export function firstLanguage() {
  for (const wanted of [remembered('language'), ...(navigator.languages ?? [navigator.language])]) {
    const found = Object.keys(languages).find(code => code === wanted || code.split('-')[0] === wanted?.split('-')[0])
    if (found) return found
  }
  return 'en'
}

/** The text under `key` with {name} replaced; a plural form is an object by Intl.PluralRules of {count}. */
export async function loadLanguage(code) {
  const loaded = (await texts[code]()).default
  const plural = new Intl.PluralRules(code)
  const number = new Intl.NumberFormat(code)
  const time = new Intl.DateTimeFormat(code, { dateStyle: 'medium', timeStyle: 'short' })
  const hour = new Intl.DateTimeFormat(code, { hour: 'numeric' })
  const clock = new Intl.DateTimeFormat(code, { timeStyle: 'short' })
  const date = new Intl.DateTimeFormat(code, { dateStyle: 'medium' })
  const t = (key, values = {}) => {
    let text = loaded[key] ?? key
    if (typeof text === 'object') text = text[plural.select(values.count ?? 0)] ?? text.other
    return text.replace(/\{(\w+)\}/g, (all, name) => {
      const value = values[name]
      return typeof value === 'number' ? number.format(value) : value ?? all
    })
  }
  document.documentElement.lang = code
  document.documentElement.dir = code === 'ar' ? 'rtl' : 'ltr'
  const shown = format => unix => format.format(new Date(unix * 1000))
  return { code, t, has: key => key in loaded, number: value => number.format(value), time: shown(time), hour: shown(hour), clock: shown(clock), date: shown(date) }
}

export const Language = createContext(null)
export const useText = () => useContext(Language)
