// The data files inside the program. They are compiled in because a bundle beside the program traps
// when the program is moved alone; by the C compiler because SwiftPM's own `.embedInCode` adds more
// than a second of build for every 10 KB.
//
// To register a file, add it to its table:
//
//     EMBED("x-prices.json")
//     #embed "../MimoCatalog/prices/x-prices.json"
//     END
//
// A change of an embedded file rebuilds this one: the compiler lists `#embed` among its dependencies.
// A test compares each table with its folder, so a forgotten file fails by name.

#include "CEmbedded.h"
#include <string.h>

#pragma clang diagnostic ignored "-Wc23-extensions" // #embed is of C23; clang has it in every mode.

// The added NUL ends the text, so that no table has to repeat a length.
#define EMBED(name) {name, (const unsigned char[]){
#define END , 0}},

struct entry {
  const char *name;
  const unsigned char *bytes;
};

// The order decides whose price list is asked first for a model that several vendors sell.
static const struct entry prices[] = {
    EMBED("xiaomi-prices.json")
#embed "../MimoCatalog/prices/xiaomi-prices.json"
    END
    EMBED("deepseek-prices.json")
#embed "../MimoCatalog/prices/deepseek-prices.json"
    END
    EMBED("openai-prices.json")
#embed "../MimoCatalog/prices/openai-prices.json"
    END
    EMBED("anthropic-prices.json")
#embed "../MimoCatalog/prices/anthropic-prices.json"
    END
    EMBED("google-prices.json")
#embed "../MimoCatalog/prices/google-prices.json"
    END
    EMBED("moonshot-prices.json")
#embed "../MimoCatalog/prices/moonshot-prices.json"
    END
    EMBED("zai-prices.json")
#embed "../MimoCatalog/prices/zai-prices.json"
    END
    EMBED("zhipu-prices.json")
#embed "../MimoCatalog/prices/zhipu-prices.json"
    END
    EMBED("minimax-prices.json")
#embed "../MimoCatalog/prices/minimax-prices.json"
    END
    EMBED("xai-prices.json")
#embed "../MimoCatalog/prices/xai-prices.json"
    END
    EMBED("alibaba-prices.json")
#embed "../MimoCatalog/prices/alibaba-prices.json"
    END
    EMBED("openrouter-prices.json")
#embed "../MimoCatalog/prices/openrouter-prices.json"
    END
    EMBED("together-prices.json")
#embed "../MimoCatalog/prices/together-prices.json"
    END
    EMBED("fireworks-prices.json")
#embed "../MimoCatalog/prices/fireworks-prices.json"
    END
    EMBED("deepinfra-prices.json")
#embed "../MimoCatalog/prices/deepinfra-prices.json"
    END
    EMBED("siliconflow-prices.json")
#embed "../MimoCatalog/prices/siliconflow-prices.json"
    END
    EMBED("novita-prices.json")
#embed "../MimoCatalog/prices/novita-prices.json"
    END
    {NULL, NULL}};

static const struct entry plans[] = {
    EMBED("mimo-token-plans.json")
#embed "../MimoCatalog/plans/mimo-token-plans.json"
    END
    {NULL, NULL}};

// From `../../themes/`.
static const struct entry themes[] = {
    EMBED("default.json")
#embed "../../themes/default.json"
    END
    EMBED("light.json")
#embed "../../themes/light.json"
    END
    EMBED("terminal.json")
#embed "../../themes/terminal.json"
    END
    EMBED("monochrome.json")
#embed "../../themes/monochrome.json"
    END
    {NULL, NULL}};

static const struct entry classes[] = {
    EMBED("model-classes.json")
#embed "../MimoCatalog/classes/model-classes.json"
    END
    {NULL, NULL}};

// Walks to the entry, so that an index past the end is never read.
static struct CEmbeddedFile file(const struct entry *entry, size_t index) {
  while (entry->name != NULL && index > 0) {
    entry++;
    index--;
  }
  size_t length = entry->bytes == NULL ? 0 : strlen((const char *)entry->bytes);
  return (struct CEmbeddedFile){entry->name, entry->bytes, length};
}

struct CEmbeddedFile CEmbeddedPrices(size_t index) { return file(prices, index); }
struct CEmbeddedFile CEmbeddedPlans(size_t index) { return file(plans, index); }
struct CEmbeddedFile CEmbeddedClasses(size_t index) { return file(classes, index); }
struct CEmbeddedFile CEmbeddedThemes(size_t index) { return file(themes, index); }
