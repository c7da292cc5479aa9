--- Keys of a window of ours, and the list of them. Refuses global maps.
local M = {}

---Keys that stand beside each other and do the same share a line.
---@param keys { [1]: string, [2]: string }[]
---@return string[]
local function lines_of(keys)
  local groups, widest = {}, 0
  for _, key in ipairs(keys) do
    local last = groups[#groups]
    if last and last[2] == key[2] then
      last[1] = last[1] .. " " .. key[1]
    else
      groups[#groups + 1] = { key[1], key[2] }
    end
    widest = math.max(widest, #groups[#groups][1])
  end
  return vim.tbl_map(function(group)
    return (" %-" .. widest .. "s  %s "):format(group[1], group[2])
  end, groups)
end

---Maps keys in a buffer, and those that list them.
---@param buf integer
---@param title string
---@param keys { [1]: string, [2]: string, [3]: function? }[] key, what it does, and how unless Neovim does it
---@param help string[] keys that list all
---@param run fun(act: function) calls what a key does
function M.map(buf, title, keys, help, run)
  local function map(lhs, what, act)
    vim.keymap.set("n", lhs, act, { buffer = buf, nowait = true, silent = true, desc = "Specloom: " .. what })
  end
  for _, key in ipairs(keys) do
    if key[3] then
      map(key[1], key[2], function()
        run(key[3])
      end)
    end
  end
  local function show()
    local shown = require("specloom.page").float(lines_of(keys), { title = (" %s "):format(title) })
    for _, lhs in ipairs(vim.list_extend({ "<CR>" }, help)) do
      vim.keymap.set("n", lhs, "<Cmd>close<CR>", { buffer = shown, nowait = true })
    end
  end
  for _, lhs in ipairs(help) do
    map(lhs, "list the keys", show)
  end
end

return M
