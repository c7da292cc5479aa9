-- Whether what was folded from events is what the server says now.
package.path = vim.fs.dirname(debug.getinfo(1, "S").source:sub(2)) .. "/?.lua;" .. package.path

local connection = require("specloom.client").all()[1]
connection:request("specloom/project/get", vim.empty_dict(), function(refused, snapshot)
  local wanted = require("specloom.projection").new(assert(snapshot, refused))
  local found = require("differences")(connection.projection, wanted)
  vim.notify(#found == 0 and "as the server says" or "not as the server says:\n" .. table.concat(found, "\n"))
end)
