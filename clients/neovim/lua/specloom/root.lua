--- Which folder is the project of a file: the rule of the command line, from marks alone. Refuses to read any file.
local M = {}

--- Whoever has one of these is a root; the nearest upwards counts.
M.MARKS = { "requirements.md", "specs", ".kiro", ".specify", "specloom.toml", ".git" }

-- Folders inside a project that may hold a mark of their own.
local INSIDE =
  { "^(.+)/docs$", "^(.+)/specs$", "^(.+)/specs/[^/]+$", "^(.+)/%.kiro/", "^(.+)/%.specify/", "^(.+)/%.kiro$" }

-- A repository alone has no work.
local WORK = { "requirements.md", "docs/requirements.md", "specloom.toml", ".specloom", ".kiro/specs", ".specify" }

---@param folder string
---@param names string[]
local function has_any(folder, names)
  return vim.iter(names):any(function(name)
    return vim.uv.fs_stat(folder .. "/" .. name) ~= nil
  end)
end

---@param folder string
local function is_marked(folder)
  return has_any(folder, M.MARKS) or has_any(folder, { "docs/requirements.md" })
end

--- Whether there is anything for Specloom.
---@param root string
function M.has_work(root)
  return has_any(root, WORK)
    or vim.iter(vim.fs.dir(root .. "/specs")):any(function(name)
      return name:find("^%d") ~= nil
    end)
end

--- The nearest folder with a mark, upwards from one; nil if there is none.
---@param folder string absolute
---@return string?
function M.above(folder)
  folder = vim.fs.normalize(folder)
  for _, inside in ipairs(INSIDE) do
    local outer = folder:match(inside)
    if outer and is_marked(outer) then
      return M.above(outer)
    end
  end
  local parent = vim.fs.dirname(folder)
  return is_marked(folder) and folder or parent ~= folder and M.above(parent) or nil
end

--- The folder of a buffer's file, and the working directory for other buffers.
---@param buf integer
---@return string
function M.folder(buf)
  local name = vim.api.nvim_buf_get_name(buf)
  return vim.bo[buf].buftype == "" and name ~= "" and vim.fs.dirname(name) or vim.uv.cwd() or "/"
end

--- The root of a buffer if there is work for Specloom in it.
---@param buf integer
---@return string?
function M.of(buf)
  local folder = M.folder(buf) .. "/"
  if folder:find("/%.git/") or folder:find("/%.specloom/") or folder:find("^%a[%w+.-]+://") then
    return nil
  end
  local root = M.above(folder)
  return root and M.has_work(root) and root or nil
end

return M
