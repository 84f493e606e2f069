/** Writes `docs/reference/config.md` from the schema: pure, from definition to Markdown. */
import { presets } from './presets.js';
import type { Definition, Key, NestedKeys } from './schema/definition.js';
import { presetNames } from './schema/presetType.js';
import { rootDefinition } from './schema/rootDefinition.js';

const introduction = `# The configuration file

<!-- Generated from src/config/schema by \`npm run docs\`. A test keeps it current. -->

One YAML file, the same on every director; \`/etc/tandem/tandem.yaml\` unless \`-c\` names
another. \`tandem check FILE\` lists everything that is wrong with a file, with line and column.
Examples are in \`conf/\`; \`conf/minimal.yaml\` is the shortest useful one.

Durations are written with a unit: \`250ms\`, \`1s\`, \`1.5s\`, \`5m\`, \`1h\`. Unknown keys are
errors. YAML anchors and aliases (\`&check\`, \`*check\`) work; merge keys (\`<<\`) do not.

A node finds itself in \`nodes\` by \`--node\`, else by the environment variable \`TANDEM_NODE\`,
else by its hostname, with or without its domain. Variables named below override the file;
empty ones are ignored.`;

/** A section of the document: a heading and the keys beneath it. */
interface Chapter {
  readonly path: string;
  readonly doc: string;
  readonly condition?: string;
  readonly definition: Definition;
}

/** The whole document. */
export function configDocument(): string {
  const chapters = chaptersOf({ path: '', doc: '', definition: rootDefinition });
  const parts = [introduction, variables(chapters), ...chapters.map(chapterText), presetText()];
  return `${parts.join('\n\n')}\n`;
}

/** A chapter and, depth first, those of the mappings inside it. */
function chaptersOf(chapter: Chapter): readonly Chapter[] {
  const inner = Object.entries(chapter.definition).flatMap(([name, entry]) => {
    const path = joinPath(chapter.path, name);
    if (entry.kind === 'section') {
      return chaptersOf({ path, doc: entry.doc, definition: entry.keys });
    }
    return (entry.type.nested ?? []).flatMap((nested) => nestedChapters(path, entry, nested));
  });
  return [chapter, ...inner];
}

function nestedChapters(
  path: string,
  key: Key<unknown, unknown>,
  nested: NestedKeys,
): readonly Chapter[] {
  return chaptersOf({
    path: `${path}${nested.suffix}`,
    doc: key.doc,
    definition: nested.definition,
    ...(nested.condition === undefined ? {} : { condition: nested.condition }),
  });
}

function chapterText(chapter: Chapter): string {
  const { path, doc, condition, definition } = chapter;
  const heading = path === '' ? '## Top level' : `## \`${path}\``;
  const title = condition === undefined ? heading : `${heading} with \`${condition}\``;
  const rows = Object.entries(definition).map(([name, entry]) => {
    if (entry.kind === 'section') return [`\`${name}\``, 'mapping', 'see below', entry.doc];
    return [`\`${name}\``, entry.type.description, presenceText(entry), keyText(entry)];
  });
  const own =
    condition === undefined
      ? []
      : [
          [
            '`type`',
            `\`${condition.replace('type: ', '')}\``,
            '**required**',
            'Which kind this is.',
          ],
        ];
  const table = markdownTable(['Key', 'Type', 'Default', 'Meaning'], [...own, ...rows]);
  return [title, doc, table].filter((part) => part !== '').join('\n\n');
}

function presenceText({ presence }: Key<unknown, unknown>): string {
  switch (presence.kind) {
    case 'required':
      return '**required**';
    case 'optional':
      return presence.meaning === undefined ? 'none' : `none: ${presence.meaning}`;
    case 'default':
      return `\`${Array.isArray(presence.value) ? '[]' : String(presence.value)}\``;
  }
}

function keyText(key: Key<unknown, unknown>): string {
  return key.env === undefined ? key.doc : `${key.doc} Overridden by \`${key.env}\`.`;
}

function variables(chapters: readonly Chapter[]): string {
  const rows = chapters.flatMap(({ path, definition }) =>
    Object.entries(definition).flatMap(([name, entry]) =>
      entry.kind === 'key' && entry.env !== undefined
        ? [[`\`${entry.env}\``, `\`${joinPath(path, name)}\``]]
        : [],
    ),
  );
  const node = ['`TANDEM_NODE`', 'which of `nodes` this machine is'];
  return `## Environment variables\n\n${markdownTable(['Variable', 'Overrides'], [node, ...rows])}`;
}

/** What each preset sets, side by side. */
function presetText(): string {
  const rowsOf = (part: keyof (typeof presets)['lan'], prefix: string): readonly string[][] =>
    Object.keys(presets.lan[part]).map((key) => [
      `\`${prefix}.${key}\``,
      ...presetNames.map((name) => `\`${presets[name][part][key]}\``),
    ]);
  const header = ['Key', ...presetNames.map((name) => `\`${name}\``)];
  const rows = [...rowsOf('router', 'virtualRouters[]'), ...rowsOf('session', 'bfd[]')];
  const text =
    '`preset` sets the defaults of these keys; a key that is given wins. `lan` is what holds ' +
    'without a preset. `cloud` is for virtual machines, which are paused and moved: it is slow ' +
    'to take over and does not do so in error. `fast` is for a quiet link between machines with ' +
    'processors to spare.';
  return `## Presets\n\n${text}\n\n${markdownTable(header, rows)}`;
}

function joinPath(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

/** A Markdown table; bars inside of cells are escaped. */
export function markdownTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}
