import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '../fixtures/app';
import { everyPage, kind, settled, somethingToLookAt } from '../fixtures/pages';
import { given } from '../fixtures/process';

const WIDTHS = [1440, 360];

/** Every page of the demo, found by following the menu and the first link of each kind on every page. */
test('every page, wide and narrow', async ({ signedIn: page, app }) => {
  const folder = given('E2E_SCREENSHOTS');
  await mkdir(folder, { recursive: true });
  await somethingToLookAt(app);
  const n = await everyPage(page, app, async (path) => {
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      await page.goto(path);
      await settled(page);
      await page.screenshot({ path: join(folder, `${name(path)}-${width}.png`), fullPage: true });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect.soft(overflow, `${path} at ${width} px is wider than the window`).toBeLessThanOrEqual(0);
    }
  });
  expect(n, 'pages found by following links').toBeGreaterThan(3);
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

function name(path: string): string {
  return kind(path.split('?')[0]!).replace(/^\/$/, 'panel').replace(/^\//, '').replace(/[/:]+/g, '-');
}
