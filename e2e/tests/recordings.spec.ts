import type { App } from '../fixtures/app';
import { expect, test } from '../fixtures/app';

const PHONE = '79995550707';

test('a recording is heard through the hub', async ({ signedIn: page, app }) => {
  await linkedDeal(app);
  const lead = (await app.sandbox.leads()).find((one) => one.phone?.endsWith(PHONE.slice(1)));
  await app.sandbox.callEnds(lead!.id, { disposition: 'ANSWER', duration: 5, record: true });
  await page.goto('/calls');
  await page.getByTestId('play').click();
  const player = page.getByTestId('player');
  await expect
    .poll(() => player.evaluate((audio: HTMLAudioElement) => audio.duration), { timeout: 10_000 })
    .toBeGreaterThan(1);
  expect(await player.getAttribute('src')).toMatch(/^\/api\/v1\/call-results\//);
});

/** A deal with a lead, linked by the demo's own rule. */
async function linkedDeal(app: App): Promise<number> {
  const { sandbox } = app;
  const deal = await sandbox.createDeal({ name: 'Вера Тестова', phone: `+${PHONE}`, deal: 'Окна' });
  await sandbox.moveDeal(deal, 'Передано в обзвон');
  const leads = async () => (await sandbox.leads()).filter((lead) => lead.phone?.endsWith(PHONE.slice(1))).length;
  await expect.poll(leads, { timeout: 10_000 }).toBe(1);
  return deal;
}
