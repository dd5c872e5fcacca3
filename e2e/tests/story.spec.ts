import type { Page } from '@playwright/test';
import { expect, test } from '../fixtures/app';

const DEAL = 'Окна под ключ';

test('manager moves a deal, sees the lead, moves it back, and reads both stories', async ({ signedIn: page, app }) => {
  const [board] = await Promise.all([
    page.waitForEvent('popup'),
    page.getByTestId('demo').getByRole('link', { name: 'Песочница amoCRM' }).click(),
  ]);
  await board.getByTestId('amo-create-name').fill('Вера Тестова');
  await board.getByTestId('amo-create-phone').fill('8 (999) 555-03-03');
  await board.getByTestId('amo-create-deal').fill(DEAL);
  await board.getByTestId('amo-create-price').fill('45000');
  await board.getByTestId('amo-create-submit').click();

  const deal = await idOf(board, 'amo');
  await board.getByTestId(`amo-move-${deal}`).selectOption({ label: 'Передано в обзвон' });
  const leads = board.locator('[data-testid^="lp-card-"]', { hasText: DEAL });
  await expect(leads).toHaveCount(1, { timeout: 2_000 });

  const lead = await idOf(board, 'lp');
  await board.getByTestId(`lp-move-${lead}`).selectOption({ label: 'Интерес подтвержден' });
  await expect.poll(() => app.sandbox.dealStage(Number(deal)), { timeout: 5_000 }).toBe('Подтверждён');
  await expect.poll(async () => (await app.sandbox.deal(Number(deal))).notes.length, { timeout: 5_000 }).toBe(1);
  await app.sandbox.webhooksDelivered();
  const quiet = await app.sandbox.lastSeq();

  await story(page, 'Этап сделки изменён');
  await expect(page.getByTestId('run')).toContainText('Сделка передана в обзвон');
  await expect(page.getByTestId('run')).toContainText('Этап');
  await expect(page.locator('[data-testid="delivery"][data-state="delivered"]')).toHaveCount(1);
  await expect(page.getByTestId('record').filter({ hasText: `№ ${lead}` })).toBeVisible();

  await story(page, 'Шаг лида изменён');
  await expect(page.getByTestId('run').filter({ hasText: 'Интерес подтверждён' })).toBeVisible();
  await expect(page.locator('[data-testid="delivery"][data-state="delivered"]')).toHaveCount(2);
  await expect(page.getByTestId('record').filter({ hasText: `№ ${deal}` })).toBeVisible();

  expect(await app.sandbox.journal(quiet, { writes: true })).toEqual([]);
  await expect(leads).toHaveCount(1);
});

/** The id of the only card of the deal or lead on one side of the sandbox's page. */
async function idOf(board: Page, side: 'amo' | 'lp'): Promise<string> {
  const card = board.locator(`[data-testid^="${side}-card-"]`, { hasText: DEAL });
  await expect(card).toHaveCount(1);
  return (await card.getAttribute('data-testid'))!.slice(`${side}-card-`.length);
}

/** Opens the page of the event of this kind that a rule matched. */
async function story(page: Page, kind: string): Promise<void> {
  await page.goto('/events');
  const row = page.getByTestId('row').filter({ hasText: kind }).filter({ hasText: 'Подошло правило' });
  await row.getByRole('link').first().click();
  await expect(page.getByTestId('event')).toHaveAttribute('data-state', 'dispatched');
}
