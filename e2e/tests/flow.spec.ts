import type { App } from '../fixtures/app';
import { expect, test } from '../fixtures/app';
import type { LeadCard } from '../fixtures/sandbox';

const PHONE = '79995550101';

test('moved deal becomes one lead, and the moved lead moves the deal back', async ({ signedIn: page, app }) => {
  const { sandbox } = app;
  const deal = await sandbox.createDeal({ name: 'Вера Тестова', phone: `+${PHONE}`, deal: 'Окна под ключ', price: 45_000 });
  await sandbox.moveDeal(deal, 'Передано в обзвон');
  const lead = await leadOf(app, PHONE, 2_000);
  expect(field(lead, 'ID сделки amoCRM')).toBe(String(deal));

  await sandbox.moveLead(lead.id, 'Интерес подтвержден');
  await expect.poll(() => sandbox.dealStage(deal), { timeout: 5_000 }).toBe('Подтверждён');
  await expect.poll(async () => (await sandbox.deal(deal)).notes.length, { timeout: 5_000 }).toBe(1);

  // Our own writes come back as webhooks; they must not start the story anew.
  const before = await sandbox.lastSeq();
  await sandbox.webhooksDelivered();
  await page.goto('/events');
  await expect(page.getByRole('main').getByRole('link').first()).toBeVisible();
  expect(await sandbox.journal(before, { writes: true })).toEqual([]);
  expect(await leadsWith(app, PHONE)).toHaveLength(1);
  expect((await sandbox.deal(deal)).notes).toHaveLength(1);
});

test('server that dies with an accepted event finishes the flow after a restart, once', async ({ app }) => {
  const { sandbox } = app;
  const deal = await sandbox.createDeal({ name: 'Глеб Тестов', phone: `+${PHONE}`, deal: 'Балкон' });
  await sandbox.webhooksDelivered();
  await sandbox.moveDeal(deal, 'Передано в обзвон');
  // The CRM has its 200 and will not tell of it again.
  await sandbox.webhooksDelivered();
  await app.killServer();
  await app.startServer();
  await endsWithOneLead(app);
});

test('server that is dead when the event comes hears of it after a restart, once', async ({ app }) => {
  const { sandbox } = app;
  const deal = await sandbox.createDeal({ name: 'Инна Тестова', phone: `+${PHONE}`, deal: 'Дверь' });
  await sandbox.webhooksDelivered();
  await app.killServer();
  await sandbox.moveDeal(deal, 'Передано в обзвон');
  await app.startServer();
  await sandbox.retryWebhooks();
  await endsWithOneLead(app);
});

async function endsWithOneLead(app: App): Promise<void> {
  // A delivery that was cut off is taken up again when its lease has run out.
  await leadOf(app, PHONE, 45_000);
  await app.sandbox.webhooksDelivered();
  expect(await leadsWith(app, PHONE)).toHaveLength(1);
}

async function leadOf(app: App, phone: string, timeout: number): Promise<LeadCard & { step: string }> {
  await expect.poll(async () => (await leadsWith(app, phone)).length, { timeout, intervals: [100] }).toBe(1);
  const [lead] = await leadsWith(app, phone);
  return lead!;
}

async function leadsWith(app: App, phone: string): Promise<(LeadCard & { step: string })[]> {
  return (await app.sandbox.leads()).filter((lead) => lead.phone?.replace(/\D/g, '').endsWith(phone.slice(1)));
}

function field(lead: LeadCard, name: string): unknown {
  return lead.custom.find((one) => one.name === name)?.value;
}
