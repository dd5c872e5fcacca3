import { expect, test } from '../fixtures/app';
import { SIZES } from '../fixtures/pages';

const TO_CALLS = 'Сделка передана в обзвон → лид в LPTracker';

for (const size of SIZES) {
  test.describe(`at ${size.width} px`, () => {
    test.beforeEach(async ({ signedIn }) => signedIn.setViewportSize(size));

    test('a delivery that the CRM refused is found and retried', async ({ signedIn: page, app }) => {
      const { sandbox } = app;
      // The call team's CRM refuses new leads for a while, with its own kind of error.
      await sandbox.refuseNewLeads('Поле «Имя» не заполнено');
      const deal = await sandbox.createDeal({ name: 'Олег Отказной', phone: '8 (999) 555-09-09', deal: 'Лестница' });
      await sandbox.moveDeal(deal, 'Передано в обзвон');
      await page.goto('/deliveries?state=dead');
      const row = page.getByTestId('row').first();
      await expect(async () => {
        await page.reload();
        await expect(row).toBeVisible({ timeout: 1_000 });
      }).toPass({ timeout: 20_000 });
      await row.getByRole('link').first().click();
      const dead = page.locator('[data-testid="delivery"][data-state="dead"]');
      await expect(dead).toContainText('Поле «Имя» не заполнено');
      await sandbox.noMoreFaults();
      await dead.getByTestId('retry').click();
      await expect.poll(async () => (await sandbox.leads()).some((lead) => lead.name === 'Лестница'), { timeout: 10_000 }).toBe(true);
      await page.reload();
      await expect(page.locator('[data-testid="delivery"][data-state="delivered"]')).toHaveCount(1);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(size.width);
    });

    test('a stage that is gone from the CRM is shown at the rule and at its place', async ({ signedIn: page, app }) => {
      await app.sandbox.hideStage('Передано в обзвон');
      await page.goto('/connections');
      await page.getByRole('link', { name: 'amoCRM (песочница)' }).click();
      await page.getByTestId('tab-catalogue').click();
      await page.getByTestId('refresh-catalogue').click();
      await expect(page.getByTestId('changes')).toContainText('Передано в обзвон');
      await page.goto('/rules');
      const row = page.getByTestId('row').filter({ hasText: TO_CALLS });
      await expect(row).toContainText('Проверьте');
      await page.getByRole('link', { name: TO_CALLS }).click();
      await expect(page.getByTestId('n-errors')).toBeVisible();
      await expect(page.getByTestId('leaf').getByTestId('finding').first()).toContainText('больше нет в CRM');
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(size.width);
    });
  });
}
