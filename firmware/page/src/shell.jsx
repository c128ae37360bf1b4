import { useEffect, useRef, useState } from 'preact/hooks'
import { call, page } from './api.js'
import { languages, useText } from './i18n.js'
import { Card, Password, focusIsLost, useAction } from './ui.jsx'

const daily = ['/', '/send', '/queue', '/messages', '/settings', '/help']
const seldom = ['/link', '/box', '/network', '/throttle', '/optout', '/cloud', '/fleet', '/log']

/** Pages of the box that are not part of this one. */
const others = ['/receipts', '/till']
const outside = ['/plain', '/certificate.pem', ...others]

/** What had the focus is gone: it goes to the card around it, else to the top of the view, and not to nowhere. */
function useKeptFocus(main, heading) {
  useEffect(() => {
    let last = null
    let card = null
    const on = event => {
      last = event.target
      card = last.closest('.card')
    }
    const look = () => {
      if (!last || last.isConnected || !focusIsLost()) return
      if (card?.isConnected) card.tabIndex = -1
      const place = card?.isConnected ? card : heading.current
      place?.focus({ preventScroll: true })
    }
    const seen = new MutationObserver(look)
    seen.observe(main.current, { childList: true, subtree: true })
    main.current.addEventListener('focusin', on)
    return () => seen.disconnect()
  }, [])
}

/** Whether tills print through the box: then its pages for receipts are offered. */
function usePrinters(loggedIn) {
  const [any, setAny] = useState(false)
  useEffect(() => {
    if (loggedIn) call('getReceiptPrinters').then(list => setAny(list.length > 0), () => {})
  }, [loggedIn])
  return loggedIn && any
}

export function Shell({ path, title, bare, children, go, choose, session, refresh, theme, chooseTheme }) {
  const { t, code } = useText()
  const heading = useRef(null)
  const first = useRef(true)
  const main = useRef(null)
  useKeptFocus(main, heading)
  const printers = usePrinters(session?.loggedIn)
  // Who goes on with the keyboard or hears the page goes on at the new view's top.
  useEffect(() => {
    if (first.current) first.current = false
    else heading.current?.focus()
  }, [path])
  const follow = event => {
    const link = event.target.closest('a')
    if (!link || link.origin !== location.origin || link.target || link.download || event.ctrlKey || event.metaKey) return
    if (outside.includes(link.pathname)) return
    event.preventDefault()
    go(link.pathname)
  }
  const leave = async () => {
    await page('/session', 'DELETE')
    refresh()
  }
  const link = to => <a key={to} href={to} aria-current={to === path ? 'page' : undefined}>{t(`nav.${to.slice(1) || 'status'}`)}</a>
  const choices = (
    <div class="row">
      <label class="pick"><span class="unseen">{t('language')}</span>
        <select value={code} onChange={e => choose(e.target.value)}>
          {Object.entries(languages).map(([key, name]) => <option key={key} value={key} lang={key}>{name}</option>)}
        </select>
      </label>
      <label class="pick"><span class="unseen">{t('theme')}</span>
        <select value={theme} onChange={e => chooseTheme(e.target.value)}>
          <option value="">{t('theme.auto')}</option>
          <option value="light">{t('theme.light')}</option>
          <option value="dark">{t('theme.dark')}</option>
        </select>
      </label>
      {session?.loggedIn && <button type="button" class="quiet" onClick={leave}>{t('logout')}</button>}
    </div>
  )
  return (
    <div onClick={follow}>
      <a class="skip" href="#main" onClick={e => { e.preventDefault(); e.stopPropagation(); heading.current?.focus() }}>{t('skip')}</a>
      <header>
        <a class="brand" href="/"><img src="/icon.svg" alt="" width="32" height="32" /> Posthorn</a>
        {bare && choices}
        {!bare && (
          <nav aria-label={t('nav')}>
            {daily.map(link)}
            <details open={seldom.includes(path)} key={path}>
              <summary>{t('nav.more')}</summary>
              <div class="row">{[...seldom, ...(printers ? others : [])].map(link)}</div>
            </details>
          </nav>
        )}
      </header>
      <main id="main" ref={main}>
        <h1 ref={heading} tabIndex={-1}>{title}</h1>
        {children}
      </main>
      {!bare && <footer>{choices}</footer>}
    </div>
  )
}

export function Login({ enter }) {
  const { t } = useText()
  const [password, setPassword] = useState('')
  const action = useAction()
  const send = event => {
    event.preventDefault()
    action.run(async () => enter(await page('/session', 'POST', { password })))
  }
  return (
    <Card title={t('login.title')}>
      <form onSubmit={send}>
        <input type="text" name="username" autocomplete="username" value="posthorn" class="unseen" tabIndex={-1} aria-hidden="true" readOnly />
        <Password label={t('login.password')} help={t('login.help')} value={password} onInput={e => setPassword(e.target.value)} />
        <button disabled={action.busy}>{t('login.go')}</button>
        {action.line}
      </form>
    </Card>
  )
}
