// Writes the corpus with SheetJS: `npm install xlsx@0.18.5 && node make.mjs`.
import { writeFileSync } from 'node:fs';
import XLSX from 'xlsx';

const number = (v, z) => ({ t: 'n', v, z });
// Day numbers with the formats that every Excel knows: SheetJS writes no others into XLS.
const rows = [
  ['Выгрузка за ноябрь'],
  ['Телефон', 'Имя', 'Дата звонка', 'Длительность', 'Сумма', 'Комментарий'],
  [79991234567, 'Анна', number(46350 + 10 / 24, 'm/d/yy h:mm'), number(65 / 86400, '[h]:mm:ss'), 1500.5, 'звонила сама'],
  ["'+7 999 123-45-68", 'Борис\nвторая строка', '25.11.2026 11:30', '00:12'],
  [number(89991234569, '0.00E+00'), 'Вера', number(46352, 'm/d/yy'), number(1 / 24, '[h]:mm:ss'), 0.1 + 0.2, 'перезвонить'],
];
const sheet = XLSX.utils.aoa_to_sheet(rows);
sheet['!merges'] = [XLSX.utils.decode_range('A1:F1')];
const book = XLSX.utils.book_new();
XLSX.utils.book_append_sheet(book, XLSX.utils.aoa_to_sheet([['не отсюда']]), 'Черновик');
XLSX.utils.book_append_sheet(book, sheet, 'Клиенты');
XLSX.utils.book_append_sheet(book, XLSX.utils.aoa_to_sheet([]), 'Пусто');
book.Workbook = { Sheets: [{ Hidden: 1 }, {}, {}] };
for (const [name, bookType] of [['xlsx', 'xlsx'], ['xls', 'biff8'], ['ods', 'ods']]) {
  writeFileSync(new URL(`sheetjs.${name}`, import.meta.url), XLSX.write(book, { type: 'buffer', bookType }));
}
