-- The temp-file module of a Lua test suite, and a run of it: thousands of files by names as os.tmpname makes them,
-- nested directories, `ls`, `rm -rf`. Knows nothing of the filesystem it works on.
--
-- usage: lua5.4 temp_files.lua DIRECTORY [FILES]

local temp = {}
temp.__index = temp

function temp.new(directory)
	return setmetatable({directory = directory, files = {}, next = 0}, temp)
end

-- As os.tmpname, which knows only /tmp: a new empty file.
function temp:name(below)
	self.next = self.next + 1
	local path = string.format("%s/lua_%06x", below or self.directory, (self.next * 7919) % 0xffffff)
	assert(io.open(path, "w")):close()
	self.files[#self.files + 1] = path
	return path
end

function temp:write(text, below)
	local path = self:name(below)
	local file = assert(io.open(path, "w"))
	assert(file:write(text))
	assert(file:close())
	return path
end

function temp:mkdir(path)
	local whole = self.directory .. "/" .. path
	assert(os.execute("mkdir -p '" .. whole .. "'"))
	return whole
end

function temp:list(path)
	local pipe = assert(io.popen("ls '" .. path .. "'"))
	local count = 0
	for _ in pipe:lines() do count = count + 1 end
	assert(pipe:close())
	return count
end

function temp:clean()
	local count = 0
	for _, path in ipairs(self.files) do
		assert(os.remove(path))
		count = count + 1
	end
	self.files = {}
	return count
end

local function timed(what, count, start)
	local seconds = os.clock() - start
	io.stderr:write(string.format("%s: %d files, %.3f s of this program's time\n", what, count, seconds))
end

local directory, wanted = arg[1], tonumber(arg[2] or 5000)
local suite = temp.new(directory)
local start, began = os.clock(), os.time()

for number = 1, wanted do
	suite:write(string.format("test %d\nok\n", number))
end
timed("created", wanted, start)
print("created", #suite.files, "listed", suite:list(directory))

start = os.clock()
local read = 0
for _, path in ipairs(suite.files) do
	for line in io.lines(path) do
		if line == "ok" then read = read + 1 end
	end
end
timed("read", read, start)
print("read", read)

start = os.clock()
print("removed", suite:clean(), "listed", suite:list(directory))
timed("removed", wanted, start)

local deep = suite:mkdir("nested/a/b/c/d/e/f/g")
for number = 1, 200 do
	suite:write("deep " .. number, number % 2 == 0 and deep or directory .. "/nested/a")
end
print("nested", suite:list(deep), suite:list(directory .. "/nested/a"))
assert(os.rename(deep, directory .. "/nested/moved"))
print("moved", suite:list(directory .. "/nested/moved"))
assert(os.execute("rm -rf '" .. directory .. "/nested'"))
print("left", suite:list(directory))
print("absent", io.open(deep) == nil)
io.stderr:write(string.format("in all: %d s\n", os.time() - began))
