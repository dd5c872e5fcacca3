import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { type App, expect, test } from '../fixtures/app';
import { given } from '../fixtures/process';

const WIDTHS = [1440, 360];

/** Every page of the demo, found by following the menu and the first link of each kind on every page. */
test('every page, wide and narrow', async ({ signedIn: page, app }) => {
  const folder = given('E2E_SCREENSHOTS');
  await mkdir(folder, { recursive: true });
  await somethingToLookAt(app);
  const seen = new Set<string>();
  const waiting = ['/'];
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    if (seen.has(kind(path))) continue;
    seen.add(kind(path));
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      await page.goto(path);
      await settled(page);
      await page.screenshot({ path: join(folder, `${name(path)}-${width}.png`), fullPage: true });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect.soft(overflow, `${path} at ${width} px is wider than the window`).toBeLessThanOrEqual(0);
    }
    const links = await page.locator('a[href]').evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).href));
    for (const link of links.map((href) => new URL(href))) {
      if (link.origin === app.url && !link.pathname.startsWith('/api') && !seen.has(kind(link.pathname))) {
        waiting.push(link.pathname);
      }
    }
  }
  expect(seen.size, 'pages found by following links').toBeGreaterThan(3);
});

test('pages before signing in', async ({ page, baseURL }) => {
  const folder = given('E2E_SCREENSHOTS');
  await mkdir(folder, { recursive: true });
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    await page.goto(baseURL!);
    await settled(page);
    await page.screenshot({ path: join(folder, `sign-in-${width}.png`), fullPage: true });
  }
});

/** A deal that has gone to LPTracker and come back, for pages that would be empty. */
async function somethingToLookAt({ sandbox }: App): Promise<void> {
  const deal = await sandbox.createDeal({ name: 'Вера Тестова', phone: '+79995550101', deal: 'Окна под ключ', price: 45_000 });
  await sandbox.moveDeal(deal, 'Передано в обзвон');
  const mine = async () => (await sandbox.leads()).find((lead) => lead.phone?.endsWith('9995550101'));
  await expect.poll(mine).toBeDefined();
  await sandbox.moveLead((await mine())!.id, 'Интерес подтвержден');
  await expect.poll(() => sandbox.dealStage(deal)).toBe('Подтверждён');
}

async function settled(page: Page): Promise<void> {
  await page.waitForLoadState('networkidle');
  await expect(page.locator('[aria-busy="true"]')).toHaveCount(0);
}

/** Pages that differ only by an id are of one kind. */
function kind(path: string): string {
  return path.replace(/[0-9a-f]{8}-[0-9a-f-]{27,}|\b\d+\b/g, ':id').replace(/(.)\/$/, '$1');
}

function name(path: string): string {
  return kind(path).replace(/^\/$/, 'panel').replace(/^\//, '').replace(/[/:]+/g, '-');
}
