// Prints how Visual Studio Code's engine reads texts: for each text, for each line, its parts with their scopes.
// Its argument is the file of a grammar; a list of texts comes as JSON over standard input.
const fs = require("node:fs");
const oniguruma = require("vscode-oniguruma");
const { INITIAL, Registry, parseRawGrammar } = require("vscode-textmate");

async function main(path) {
  await oniguruma.loadWASM(fs.readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm")).buffer);
  const registry = new Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => parseRawGrammar(fs.readFileSync(path, "utf8"), path),
  });
  const grammar = await registry.loadGrammar("text.chat");
  const parts = (text) => {
    let stack = INITIAL;
    return text.split("\n").map((line) => {
      const read = grammar.tokenizeLine(line, stack);
      stack = read.ruleStack;
      return read.tokens.map((token) => [line.slice(token.startIndex, token.endIndex), token.scopes.at(-1)]);
    });
  };
  console.log(JSON.stringify(JSON.parse(fs.readFileSync(0, "utf8")).map(parts)));
}

main(process.argv[2]);
