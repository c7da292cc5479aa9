-- Prints each global that the files named by the arguments read or write, as "file:name".
package.path = vim.env.STORY_JIT .. "/?.lua;" .. package.path
local bytecode = require("jit.bc")

for _, path in ipairs(_G.arg) do
  local listing = {}
  local out = {
    write = function(_, ...)
      vim.list_extend(listing, { ... })
    end,
    flush = function() end,
    close = function() end,
  }
  bytecode.dump(assert(loadfile(path)), out, true)
  for name in table.concat(listing):gmatch('G[GS]ET[^\n]-; "([^"]+)"') do
    print(("%s:%s"):format(path, name))
  end
end
