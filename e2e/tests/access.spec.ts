import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, test } from '../fixtures/app';
import { everyPage, settled, somethingToLookAt } from '../fixtures/pages';

/** WCAG 2.2 up to AA. */
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** What axe-core finds on a page, as lines that say where. */
async function violations(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze();
  return violations.flatMap((violation) =>
    violation.nodes.map((node) => `${violation.id}: ${node.target.join(' ')} — ${node.failureSummary ?? violation.help}`),
  );
}

for (const width of [1440, 360]) {
  test(`no page breaks WCAG 2.2 AA at ${width} px`, async ({ signedIn: page, app }) => {
    test.setTimeout(180_000);
    await page.setViewportSize({ width, height: 900 });
    await somethingToLookAt(app);
    const n = await everyPage(page, app, async (path) => {
      await page.goto(path);
      await settled(page);
      expect.soft(await violations(page), path).toEqual([]);
    });
    expect(n, 'pages found by following links').toBeGreaterThan(12);
  });
}

test('sign-in, windows and the palette break nothing either', async ({ signedIn: page }) => {
  await page.getByTestId('palette').click();
  await expect(page.getByTestId('palette-dialog')).toBeVisible();
  expect.soft(await violations(page), 'palette').toEqual([]);
  await page.keyboard.press('Escape');
  await page.getByTestId('stop-all').click();
  await expect(page.getByTestId('stop-dialog')).toBeVisible();
  expect.soft(await violations(page), 'emergency stop').toEqual([]);
  await page.keyboard.press('Escape');
  await page.getByTestId('sign-out').click();
  await expect(page).toHaveURL(/sign-in/);
  await settled(page);
  expect.soft(await violations(page), 'sign-in').toEqual([]);
});
