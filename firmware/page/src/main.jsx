import { render } from 'preact'
import { useCallback, useEffect, useState } from 'preact/hooks'
import './style.css'
import { join, page } from './api.js'
import { Language, firstLanguage, loadLanguage, remember, remembered } from './i18n.js'
import { Shell, Login } from './shell.jsx'
import { Box } from './views/box.jsx'
import { Cloud } from './views/cloud.jsx'
import { Fleet } from './views/fleet.jsx'
import { Help } from './views/help.jsx'
import { Link } from './views/link.jsx'
import { Log } from './views/log.jsx'
import { Messages } from './views/messages.jsx'
import { Network } from './views/network.jsx'
import { OptOut } from './views/optout.jsx'
import { Queue } from './views/queue.jsx'
import { Send } from './views/send.jsx'
import { Settings } from './views/settings.jsx'
import { Status } from './views/status.jsx'
import { Throttle } from './views/throttle.jsx'
import { Welcome } from './views/welcome.jsx'

const views = {
  '/': Status, '/welcome': Welcome, '/link': Link, '/send': Send, '/queue': Queue, '/messages': Messages, '/settings': Settings, '/box': Box,
  '/network': Network, '/cloud': Cloud, '/fleet': Fleet, '/throttle': Throttle, '/optout': OptOut, '/log': Log, '/help': Help
}

function useRoute() {
  const [path, setPath] = useState(location.pathname)
  useEffect(() => {
    const back = () => setPath(location.pathname)
    addEventListener('popstate', back)
    return () => removeEventListener('popstate', back)
  }, [])
  const go = useCallback(to => {
    history.pushState(null, '', to)
    setPath(to)
    scrollTo(0, 0)
  }, [])
  return [path, go]
}

function App({ first }) {
  const [language, setLanguage] = useState(first)
  const [theme, setTheme] = useState(remembered('theme') ?? '')
  const [session, setSession] = useState(null)
  const [lost, setLost] = useState(false)
  const [path, go] = useRoute()

  const refresh = useCallback(async () => {
    try {
      const now = await page('/session')
      join(now.idInstance, () => setSession(old => ({ ...old, loggedIn: false })))
      setSession(now)
      setLost(false)
    } catch {
      setLost(true)
    }
  }, [])
  useEffect(() => { refresh() }, [])
  useEffect(() => {
    if (!lost) return
    const timer = setInterval(refresh, 3000)
    return () => clearInterval(timer)
  }, [lost])
  useEffect(() => { document.documentElement.dataset.theme = theme }, [theme])

  const choose = async code => {
    remember('language', code)
    setLanguage(await loadLanguage(code))
  }
  const chooseTheme = value => {
    remember('theme', value)
    setTheme(value)
  }
  const at = path in views ? path : '/'
  const title = language.t(`nav.${at.slice(1) || 'status'}`)
  useEffect(() => { document.title = `${title} · Posthorn` }, [title])

  // A box without a password has nothing else to show; where its owner is then stands in the address.
  useEffect(() => { if (session && !session.passwordSet && at !== '/welcome') go('/welcome') }, [session, at])

  const enter = now => {
    join(now.idInstance, () => setSession(old => ({ ...old, loggedIn: false })))
    setSession(now)
  }
  const common = { session, enter, refresh, go, choose }
  let inside = null
  if (lost) inside = <p class="result bad" role="alert">{language.t('error.unreachable')}</p>
  else if (!session) inside = <p class="loading" role="status">{language.t('loading')}</p>
  else if (!session.passwordSet || (at === '/welcome' && session.loggedIn)) inside = <Welcome {...common} />
  else if (!session.loggedIn) inside = <Login {...common} />
  else {
    const View = views[at]
    inside = <View {...common} />
  }
  return (
    <Language.Provider value={language}>
      <Shell path={at} title={title} {...common} theme={theme} chooseTheme={chooseTheme} bare={!session?.loggedIn || at === '/welcome'}>
        {inside}
      </Shell>
    </Language.Provider>
  )
}

// Without a language there is nothing to say: the box went away in the middle of the loading.
const again = () => setTimeout(() => location.reload(), 3000)
loadLanguage(firstLanguage()).then(first => render(<App first={first} />, document.getElementById('app')), again)
