"""Writes the corpus with openpyxl, and lets LibreOffice write the same sheet in its own formats.

    pip install openpyxl && python3 make.py

LibreOffice is left out when `soffice` is not there; its files then stay as they are.
"""

import datetime as dt
import pathlib
import shutil
import subprocess
import tempfile

from openpyxl import Workbook

HERE = pathlib.Path(__file__).parent
HEADER = ["Телефон", "Имя", "Дата звонка", "Длительность", "Сумма", "Комментарий"]


def book() -> Workbook:
    made = Workbook()
    draft = made.active
    draft.title = "Черновик"
    draft.append(["не отсюда"])
    draft.sheet_state = "hidden"
    sheet = made.create_sheet("Клиенты")
    made.create_sheet("Пусто")
    made.active = 1
    sheet["A1"] = "Выгрузка за ноябрь"
    sheet.merge_cells("A1:F1")
    sheet.append(HEADER)
    sheet.append([79991234567, "Анна", dt.datetime(2026, 11, 24, 10), dt.timedelta(seconds=65), 1500.5, "звонила сама"])
    sheet.append(["'+7 999 123-45-68", "Борис\nвторая строка", "25.11.2026 11:30", "00:12", None, None])
    sheet.append([89991234569, "Вера", dt.date(2026, 11, 26), dt.timedelta(hours=1), 0.1 + 0.2, "перезвонить"])
    for row in (3, 5):
        sheet[f"D{row}"].number_format = "[h]:mm:ss"
    sheet["C3"].number_format = "dd.mm.yyyy hh:mm"
    sheet["C5"].number_format = "dd.mm.yyyy"
    sheet["A5"].number_format = "0.00E+00"
    return made


def main() -> None:
    source = HERE / "openpyxl.xlsx"
    book().save(source)
    if not shutil.which("soffice"):
        print("soffice is not there: files of LibreOffice are left as they are")
        return
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("xlsx", "xls", "ods"):
            command = ["soffice", "--headless", f"-env:UserInstallation=file://{folder}/profile"]
            subprocess.run([*command, "--convert-to", kind, "--outdir", folder, source], check=True)
            shutil.copy(f"{folder}/openpyxl.{kind}", HERE / f"libreoffice.{kind}")


main()
