"use strict";

// Reads the OpenAPI document and shows it. Everything is set as text, never as markup.

const make = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
};

const METHODS = ["get", "post", "put", "patch", "delete"];
let api = null;

const resolve = (schema) => {
  const name = schema?.$ref?.split("/").pop();
  return name ? { name, schema: api.components.schemas[name] } : { name: null, schema };
};

// The type of a schema in one line.
const typeOf = (schema) => {
  if (!schema) return "";
  const { name } = resolve(schema);
  if (name) return name;
  if (schema.oneOf || schema.anyOf) return (schema.oneOf ?? schema.anyOf).map(typeOf).join(" | ");
  if (schema.allOf) return schema.allOf.map(typeOf).join(" & ");
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const type = Array.isArray(schema.type) ? schema.type.filter((word) => word !== "null").join(" | ") : schema.type;
  if (type === "array") return `${typeOf(schema.items)}[]`;
  return schema.format ? `${type} (${schema.format})` : type ?? "any";
};

// Members of an object schema, those joined by allOf included.
const membersOf = (schema) => {
  const found = resolve(schema).schema ?? {};
  const own = Object.entries(found.properties ?? {}).map(([name, member]) => ({
    name,
    member,
    required: (found.required ?? []).includes(name),
  }));
  return [...(found.allOf ?? []).flatMap(membersOf), ...own];
};

const schemaView = (schema, depth = 0) => {
  if (!schema) return null;
  const found = resolve(schema).schema ?? {};
  const variants = found.oneOf ?? found.anyOf;
  if (variants && depth < 6) return make("div", {}, ...variants.map((variant) => schemaView(variant, depth + 1)));
  if (found.type === "array" || (Array.isArray(found.type) && found.type.includes("array"))) {
    return schemaView(found.items, depth + 1);
  }
  const members = membersOf(schema);
  if (members.length === 0) return make("p", {}, make("code", {}, typeOf(schema)), " ", found.description ?? "");
  const rows = members.map(({ name, member, required }) => {
    const inner = resolve(member).schema ?? {};
    const nested = membersOf(member.items ?? member).length > 0 && depth < 4;
    const details = nested
      ? make("details", {}, make("summary", {}, "состав"), lazily(() => schemaView(member.items ?? member, depth + 1)))
      : null;
    return make(
      "tr",
      {},
      make("td", {}, make("code", required ? { class: "required" } : {}, name)),
      make("td", {}, make("code", {}, typeOf(member))),
      make("td", {}, member.description ?? inner.description ?? "", details),
    );
  });
  return make("table", {}, make("tbody", {}, ...rows));
};

// Built when it is opened: schemas may be deep.
const lazily = (build) => {
  const place = make("div");
  queueMicrotask(() =>
    place.parentElement?.addEventListener("toggle", () => place.firstChild ?? place.append(build() ?? ""), { once: true }),
  );
  return place;
};

const section = (title, content) =>
  content ? make("details", {}, make("summary", {}, title), content) : null;

const operationView = (path, method, operation) => {
  const parameters = (operation.parameters ?? []).map((parameter) =>
    make(
      "tr",
      {},
      make("td", {}, make("code", parameter.required ? { class: "required" } : {}, parameter.name)),
      make("td", {}, { path: "путь", query: "параметр", header: "заголовок", cookie: "cookie" }[parameter.in] ?? ""),
      make("td", {}, make("code", {}, typeOf(parameter.schema))),
      make("td", {}, parameter.description ?? ""),
    ),
  );
  const body = Object.values(operation.requestBody?.content ?? {})[0]?.schema;
  const answers = Object.entries(operation.responses ?? {}).map(([status, answer]) => {
    const schema = Object.values(answer.content ?? {})[0]?.schema;
    const title = `${status} — ${answer.description}${schema ? `: ${typeOf(schema)}` : ""}`;
    return schema ? section(title, schemaView(schema)) : make("p", {}, title);
  });
  return make(
    "article",
    { id: operation.operationId },
    make("h3", {}, make("span", { class: `method ${method}` }, method.toUpperCase()), make("code", {}, path)),
    make("p", {}, make("strong", {}, operation.summary ?? ""), " ", make("code", {}, operation.operationId)),
    operation.description ? make("p", {}, operation.description) : null,
    parameters.length ? make("table", {}, make("tbody", {}, ...parameters)) : null,
    body ? section(`Тело запроса: ${typeOf(body)}`, schemaView(body)) : null,
    ...answers,
  );
};

const show = () => {
  const wanted = document.getElementById("filter").value.trim().toLowerCase();
  const byTag = new Map();
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS.filter((name) => item[name])) {
      const operation = item[method];
      const text = `${method} ${path} ${operation.operationId} ${operation.summary}`.toLowerCase();
      if (!text.includes(wanted)) continue;
      const tag = operation.tags?.[0] ?? "Прочее";
      byTag.set(tag, [...(byTag.get(tag) ?? []), { path, method, operation }]);
    }
  }
  const index = [];
  const main = [make("p", { class: "intro" }, api.info.description)];
  for (const [tag, operations] of [...byTag].sort(([left], [right]) => left.localeCompare(right, "ru"))) {
    index.push(make("h2", {}, tag));
    main.push(make("h2", {}, tag));
    for (const { path, method, operation } of operations) {
      const short = path.replace("/api/v1", "");
      index.push(
        make(
          "a",
          { href: `#${operation.operationId}`, title: operation.summary ?? "" },
          make("span", { class: method }, method.toUpperCase()),
          ` ${short}`,
        ),
      );
      main.push(operationView(path, method, operation));
    }
  }
  document.getElementById("index").replaceChildren(...index);
  document.getElementById("operations").replaceChildren(...main);
};

const start = async () => {
  const answer = await fetch("/api/v1/openapi.json");
  api = await answer.json();
  document.getElementById("filter").addEventListener("input", show);
  show();
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
};

start().catch(() => {
  document.getElementById("operations").textContent = "Описание не загрузилось: обновите страницу.";
});
