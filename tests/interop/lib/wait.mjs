/** Waits until `check` gives something true; fails with `what` after `within` ms. */
export async function waitFor(check, what, within = 15_000) {
  const end = Date.now() + within
  for (;;) {
    const value = await check()
    if (value) return value
    if (Date.now() > end) throw new Error(`not within ${within} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
