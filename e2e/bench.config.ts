import { defineConfig } from '@playwright/test';
import base from './playwright.config';

// `cargo xtask bench web`
export default defineConfig({
  ...base,
  testDir: './bench',
  workers: 1,
  timeout: 5 * 60_000,
  reporter: [['line']],
});
