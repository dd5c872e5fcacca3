import type { BrowserContext, CDPSession, Page } from '@playwright/test';
import { expect, test } from '../fixtures/app';

/** How often each time is measured; the median counts. */
const TIMES = 5;
const MBIT = 1_000_000 / 8;

type Named = Window & { shownAt?: number; longTasks?: number[] };

/** As a cheap phone on a bad network: Chromium's own throttling. */
async function throttle(page: Page): Promise<CDPSession> {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 20,
    downloadThroughput: 10 * MBIT,
    uploadThroughput: 10 * MBIT,
  });
  await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  return session;
}

/** The time from going there until what matches is drawn, in milliseconds. Nothing is in the cache. */
async function paint(context: BrowserContext, url: string, selector: string): Promise<number> {
  const page = await context.newPage();
  await throttle(page);
  await page.addInitScript((wanted) => {
    const look = () => {
      if (!document.querySelector(wanted)) return requestAnimationFrame(look);
      // It is in this frame; it is seen when the next one begins.
      return requestAnimationFrame(() => ((window as Named).shownAt = performance.now()));
    };
    requestAnimationFrame(look);
  }, selector);
  await page.goto(url, { waitUntil: 'commit' });
  const shown = await page.waitForFunction(() => (window as Named).shownAt);
  const ms = (await shown.jsonValue()) as number;
  await page.close();
  return ms;
}

function median(all: number[]): number {
  return [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)]!;
}

function report(what: string, ms: number, limit: number): void {
  const verdict = ms <= limit ? 'в пределах' : 'ДОЛЬШЕ';
  process.stdout.write(`\n  ${what}: ${ms.toFixed(0)} мс (${verdict} ${limit} мс)\n`);
}

test('first useful paint and typing', async ({ signedIn: page, app, browser }) => {
  test.setTimeout(10 * 60_000);
  const cookies = await page.context().cookies();

  const signIn: number[] = [];
  const list: number[] = [];
  for (let turn = 0; turn < TIMES; turn += 1) {
    const stranger = await browser.newContext({ baseURL: app.url, locale: 'ru-RU' });
    signIn.push(await paint(stranger, '/sign-in', 'main h1, .gate-card h1'));
    await stranger.close();
    const known = await browser.newContext({ baseURL: app.url, locale: 'ru-RU' });
    await known.addCookies(cookies);
    list.push(await paint(known, '/rules', '[data-testid="rules"] a.row-link'));
    await known.close();
  }
  report('Вход: первая полезная отрисовка', median(signIn), 1_500);
  report('Список правил: первая полезная отрисовка', median(list), 2_500);

  const rule = await sixtyConditions(page);
  await page.goto(`/rules/${rule}`);
  await expect(page.getByTestId('leaf')).toHaveCount(60);
  const value = page.getByTestId('leaf').last().getByLabel('Значение', { exact: true });
  const name = page.getByLabel('Название правила');
  await throttle(page);
  await page.evaluate(() => {
    const named = window as Named;
    named.longTasks = [];
    new PerformanceObserver((seen) => named.longTasks!.push(...seen.getEntries().map((one) => one.duration))).observe({
      type: 'longtask',
    });
  });
  await name.click();
  await page.keyboard.type('Правило с шестьюдесятью условиями', { delay: 60 });
  await value.click();
  await page.keyboard.type('1234567', { delay: 250 });
  // The check and the trial run in the pauses, and must not block either.
  const start = await page.evaluate(() => performance.now());
  await page.waitForFunction((until) => performance.now() > until, start + 2_000);
  const tasks = await page.evaluate(() => (window as Named).longTasks ?? []);
  const longest = Math.max(0, ...tasks);
  process.stdout.write(`\n  Задач дольше 50 мс при наборе: ${tasks.length} (${tasks.map((ms) => ms.toFixed(0)).join(', ')})\n`);
  report('Редактор с 60 условиями: самая долгая задача', longest, 50);
});

/** A rule with sixty comparisons, made through the API. */
async function sixtyConditions(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const headers = { 'content-type': 'application/json', 'x-requested-with': 'integrator' };
    const connections = await (await fetch('/api/v1/connections', { headers })).json();
    const amo = connections.items.find((one: { kind: string }) => one.kind === 'amocrm').id;
    const compare = (n: number) => ({
      compare: {
        field: 'deal.price',
        operator: 'not_equals',
        with: { value: { type: 'number', value: String(1_000 + n) } },
      },
    });
    const groups = Array.from({ length: 6 }, (_, group) => ({
      any: Array.from({ length: 10 }, (_, n) => compare(group * 10 + n)),
    }));
    const draft = {
      name: 'Замер',
      source: amo,
      triggers: [{ kind: 'deal_updated' }],
      condition: { all: groups },
      actions: [{ do: 'add_note', connection: amo, target: 'trigger', text: { template: '{{deal.name}}' } }],
    };
    const made = await fetch('/api/v1/rules', { method: 'POST', headers, body: JSON.stringify({ draft }) });
    return (await made.json()).id as string;
  });
}
