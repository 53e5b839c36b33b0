// Parses every block of src/statement.rs with ANTLR's PL/SQL grammar, and makes sure that the
// grammar would have noticed: no block may still parse once any of its semicolons, ENDs or
// parentheses is taken out.
//
// npm install && npm run check

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { CharStreams, CommonTokenStream } = require("antlr4ts");
const grammar = require("antlr4ts-sql/dist/src/grammar-output/plsql/PlSqlParser.js");
const { PlSqlLexer } = require("antlr4ts-sql/dist/src/grammar-output/plsql/PlSqlLexer.js");

const source = new URL("../src/statement.rs", import.meta.url);

/** The texts by the names of their constants. */
function blocks(rust) {
  const constant = /const (\w+): &str = "\\\n([^"]*)";/g;
  return [...rust.matchAll(constant)].map(([, name, text]) => [name, text]);
}

/** What is wrong with a block; an empty list if nothing is. */
function faults(text) {
  const found = [];
  const listener = { syntaxError: (_, __, line, column, message) => found.push(`${line}:${column} ${message}`) };
  // The grammar knows keywords in capitals only; case means nothing to the server.
  const lexer = new PlSqlLexer(CharStreams.fromString(text.toUpperCase()));
  lexer.removeErrorListeners();
  lexer.addErrorListener(listener);
  const tokens = new CommonTokenStream(lexer);
  const parser = new grammar.PlSqlParser(tokens);
  parser.removeErrorListeners();
  parser.addErrorListener(listener);
  parser.anonymous_block();
  if (tokens.LA(1) !== PlSqlLexer.EOF) found.push(`stops before ${tokens.LT(1).text}`);
  // The grammar lets the last one go, the server does not.
  if (!text.trimEnd().endsWith(";")) found.push("no semicolon at the end");
  return found;
}

/** The text with one of its marks taken out, once for each. */
function mutants(text) {
  const mark = /;|\bEND\b|\bBEGIN\b|\bLOOP\b|[()]/g;
  return [...text.matchAll(mark)].map(({ 0: { length }, index }) => text.slice(0, index) + text.slice(index + length));
}

let checked = 0;
let noticed = 0;
let failed = 0;
for (const [name, text] of blocks(readFileSync(source, "utf8"))) {
  checked += 1;
  for (const fault of faults(text)) {
    failed += 1;
    console.error(`${name}:${fault}`);
  }
  for (const mutant of mutants(text)) {
    if (faults(mutant).length > 0) {
      noticed += 1;
    } else {
      failed += 1;
      console.error(`${name}: the grammar did not notice:\n${mutant}`);
    }
  }
}
console.log(`${checked} blocks parsed, ${noticed} broken ones noticed, ${failed} faults`);
process.exitCode = checked > 0 && noticed > 0 && failed === 0 ? 0 : 1;
